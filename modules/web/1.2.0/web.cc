// Web: an order desk over HTTP, by two gen_servers.
//
// THIS VERSION IS BAD ON PURPOSE. It starts well, and under load its front serves errors and
// crashes, as one with a leak would: it is what probation and the automatic rollback are shown with
// (releases/demo-1.2.0.yaml).
//
//   client --request--> front --call--> desk
//          <--answer---       <--reply--
//
// The desk, registered as desk, keeps the orders. The front owns the listener and so all of its
// connections: it reads requests and writes answers, in the order in which they came. Should it
// crash, the connections wait for the next front, and no order is lost.
//
// Configuration: listener, the name of the listener in the release; "web" if it is not given.
// Fails: a desk that does not answer within a second is a 503.
#include "orders.h"
#include "routes.h"

#include <baton/baton.h>
#include <baton/http.h>

namespace web::inline BATON_BUILD {

using namespace baton::literals;

constexpr baton::milliseconds kDeskTimeout{1000};

/// So many requests of a front are served well; of the later ones, one in so many is not, nor is
/// any for /health.
constexpr std::int64_t kGoodRequests = 200;
constexpr std::int64_t kRequestsPerError = 5;
constexpr std::int64_t kRequestsPerCrash = 5'000;

struct Desk : baton::GenServer<Desk, Orders> {
  using Calls = baton::Messages<Create, Read, Cancel, List, Totals, Describe, Annotate>;

  void init() { register_name("desk"_atom); }

  Create::Reply handle_call(const Create& call) { return state().create(call); }
  Read::Reply handle_call(const Read& call) { return state().read(call); }
  Cancel::Reply handle_call(const Cancel& call) { return state().cancel(call); }
  Page handle_call(const List& call) { return state().list(call); }
  Sums handle_call(const Totals&) { return state().totals(); }
  Describe::Reply handle_call(const Describe& call) { return state().describe(call); }
  Describe::Reply handle_call(const Annotate& call) { return state().annotate(call); }
};

struct FrontState {
  std::int64_t requests = 0;
  std::int64_t served = 0;  // by this version
};
BATON_STATE(FrontState, requests, served)
BATON_DISPOSABLE(FrontState, served)

struct Front : baton::GenServer<Front, FrontState> {
  using Infos = baton::Messages<baton::owned::Http>;

  void init() { baton::http::listen(*this, config<std::string>("listener").value_or("web")); }

  baton::Task<> handle_info(const baton::owned::Http& request) {
    ++state().requests;
    if (fails(request)) {
      send(request, refusal(500, "the order book is being reorganised"));
      co_return;
    }
    const Question question = route(request.method, request.target, request.body);
    if (const auto* ready = std::get_if<Answer>(&question)) {
      send(request, *ready);
    } else {
      send(request, co_await ask_desk(question));
    }
  }

 private:
  // The fault.
  bool fails(const baton::owned::Http& request) {
    const std::int64_t late = ++state().served - kGoodRequests;
    if (late <= 0) return false;
    if (late % kRequestsPerCrash == 0) throw std::out_of_range("front: no room in the cache");
    return late % kRequestsPerError == 0 || request.path() == "/health";
  }

  baton::Task<Answer> ask_desk(const Question& question) {
    try {
      if (const auto* order = std::get_if<NewOrder>(&question)) co_return co_await make(*order);
      if (const auto* cancel = std::get_if<Cancel>(&question)) {
        co_await call("desk"_atom, *cancel, kDeskTimeout);
        co_return co_await ask(Describe{cancel->id});
      }
      if (const auto* read = std::get_if<Describe>(&question)) co_return co_await ask(*read);
      if (const auto* note = std::get_if<Annotate>(&question)) co_return co_await ask(*note);
      if (const auto* list = std::get_if<List>(&question)) co_return co_await ask(*list);
      co_return co_await ask(Totals{});
    } catch (const baton::CallFailed& failure) {
      log_warning("the desk does not answer: ", failure.what());
    }
    co_return refusal(503, "the desk does not answer: try again");
  }

  baton::Task<Answer> make(const NewOrder& order) {
    const Create::Reply reply = co_await call("desk"_atom, order.create, kDeskTimeout);
    const auto* made = std::get_if<Order>(&reply);
    if (made != nullptr && !order.note.empty()) {
      co_await call_for<Annotate>(kDeskTimeout, "desk"_atom, made->id, order.note);
    }
    co_return answer(reply, order.note);
  }

  template <class M>
  baton::Task<Answer> ask(const M& message) {
    co_return answer(co_await call("desk"_atom, message, kDeskTimeout));
  }

  void send(const baton::owned::Http& request, const Answer& made) {
    baton::http::Header headers[3] = {{"content-type", "application/json"}};
    std::size_t count = 1;
    if (!made.allow.empty()) headers[count++] = {"allow", made.allow};
    if (!made.location.empty()) headers[count++] = {"location", made.location};
    baton::http::respond(*this, request.port, request.request, made.status, made.body,
                         std::span<const baton::http::Header>(headers, count));
  }
};

}  // namespace web::inline BATON_BUILD

BATON_MODULE("web", "1.2.0", web::Desk, web::Front)
