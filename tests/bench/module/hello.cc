// hello: answers every HTTP request on the listener "hello" with one short line.
#include <baton/baton.h>
#include <baton/http.h>

namespace hello::inline BATON_BUILD {

struct State {
  std::int64_t requests = 0;
};
BATON_STATE(State, requests)

struct Hello : baton::GenServer<Hello, State> {
  using Infos = baton::Messages<baton::Http>;

  void init() { baton::http::listen(*this, "hello"); }
  void handle_info(const baton::Http& request) {
    ++state().requests;
    baton::http::respond(*this, request, 200, "hello\n", {{"content-type", "text/plain"}});
  }
};

}  // namespace hello::inline BATON_BUILD

BATON_MODULE("hello", "1.0.0", hello::Hello)
