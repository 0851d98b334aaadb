// Temporaries that g++ before 13 destroys twice: it refuses every line marked so, with a sentence
// that says what to write instead; with every other compiler all of them are right.
#include "process.h"

#include <functional>

namespace awaits {

// A type is refused once, so each line has one of its own.
#define BATON_OWN(NAME)             \
  struct NAME {                     \
    std::string text = kText;       \
    std::int64_t number = 0;        \
    using Reply = std::string;      \
  };                                \
  BATON_MESSAGE(NAME, text, number) \
  struct Of##NAME {                 \
    NAME part;                      \
  };                                \
  BATON_MESSAGE(Of##NAME, part)
BATON_OWN(A)
BATON_OWN(B)
BATON_OWN(C)
BATON_OWN(D)
BATON_OWN(E)
BATON_OWN(F)
BATON_OWN(G)
BATON_OWN(H)
BATON_OWN(I)
BATON_OWN(J)
BATON_OWN(K)
BATON_OWN(L)
BATON_OWN(M)
BATON_OWN(N)
BATON_OWN(O)

using baton::Mail;

bool is_text(const Mail& mail, const std::string& text) { return mail.as<std::string>() == text; }

struct Child : baton::Process<Child> {
  static baton::Task<> loop(baton::Self, OfO) { co_return; }
};

struct Loop : baton::Process<Loop> {
  static baton::Task<> loop(baton::Self self) {
    const std::string text = kText;
    const std::string_view literal = "too long for the string itself, so on the heap";

    co_await self.call(kPeer, A{text, 1});                          // refused
    co_await self.call(kPeer, B{});                                 // refused
    co_await self.call(kPeer, C{.text = std::string(literal)});     // refused
    co_await self.call(kPeer, OfD{{text, 1}}, 5s);                  // refused
    co_await self.call(kPeer, std::array<E, 2>{E{text}, E{text}});  // refused
    co_await self.call(kPeer, std::optional<F>(F{text, 1}));        // refused
    co_await self.call(kPeer, std::tuple(1, G{text, 1}));           // refused
    co_await self.call(kPeer, std::variant<int, H>(H{text, 1}));    // refused
    co_await self.call<OfI>(kPeer, I{text, 1});                     // refused
    co_await self.call_for<OfJ>(5s, kPeer, J{text, 1});             // refused
    if ((co_await self.call(kPeer, K{text, 1})).empty())            // refused
      co_await self.call<K>(kPeer, text);
    for (int i = 0; i < 2; ++i) co_await self.call(kPeer, L{text, i});  // refused
    const auto answer = co_await self.call(kPeer, M{text, 1});          // refused
    self.send(kPeer, answer);
    self.send(kPeer, co_await self.call(kPeer, OfN{{text}}));  // refused

    co_await self.start_child<Child>(kPeer, O{text, 1});  // refused

    co_await self.receive([text](const Mail& m) { return is_text(m, text); });        // refused
    co_await self.receive([=](const Mail& m) { return is_text(m, text); });           // refused
    co_await self.receive([t = text + ""](const Mail& m) { return is_text(m, t); });  // refused
    co_await self.receive_for(5s, [=](const Mail& m) { return is_text(m, text); });   // refused
    const auto f = [text](const Mail& m) { return is_text(m, text); };
    co_await self.receive(std::function<bool(const Mail&)>(f));  // refused
  }
};

}  // namespace awaits

int main() { return awaits::run<awaits::Loop>(); }
