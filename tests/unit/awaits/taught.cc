// Every way to await that the SDK teaches, with messages and functions that own memory: right with
// every compiler.
#include "process.h"

namespace awaits {

struct Child : baton::Process<Child> {
  static baton::Task<> loop(baton::Self, Nested) { co_return; }
};

struct Loop : baton::Process<Loop> {
  static baton::Task<> loop(baton::Self self) {
    const std::string text = kText;
    Ask ask{text, 1};
    Part part{text};
    const auto equal = [text](const baton::Mail& mail) { return mail.as<std::string>() == text; };

    // A message with a name.
    co_await self.call(kPeer, ask);
    co_await self.call(kPeer, ask, 5s);
    const std::string& answer = co_await self.call(kPeer, ask);
    if (answer != text) throw std::runtime_error("the answer is another");

    // A message made inside the call.
    co_await self.call<Ask>(kPeer, text);
    co_await self.call<Ask>(kPeer, ask);
    co_await self.call<Ask>(kPeer, text + "y", 2);
    co_await self.call<Ask>(kPeer, "a literal that is too long to be kept in the string itself", 2);
    co_await self.call<Ask>(kPeer, std::string(text), 2u);
    co_await self.call_for<Ask>(5s, kPeer, text, 2);
    co_await self.call<Ask, baton::TermValue>(kPeer, text);
    co_await self.call<Defaulted>(kPeer);
    co_await self.call<Narrow>(kPeer, 5, 7);
    co_await self.call<Nested>(kPeer, part);
    const std::vector<Part> parts(2, part);
    co_await self.call<Nested>(kPeer, part, parts);
    if (co_await self.call<Ask>(kPeer, text) == (co_await self.call<Ask>(kPeer, text)))
      co_await self.call<Ask>(kPeer, co_await self.call<Ask>(kPeer, text), 3);
    for (int i = 0; i < 3; ++i) co_await self.call<Ask>(kPeer, text + std::to_string(i), i);

    // Messages that are no aggregates may be temporaries.
    co_await self.call(kPeer, text + "y");
    co_await self.call(kPeer, std::tuple("ask"_atom, text));
    co_await self.call(kPeer, "a literal that is too long to be kept in the string itself");

    // Calls that are kept and awaited later.
    auto first = self.call<Ask>(kPeer, text);
    auto second = self.call(kPeer, ask);
    co_await second;
    co_await first;

    // Children.
    co_await self.start_child<Child>(kPeer);
    co_await self.start_child<Child>(kPeer, part);
    co_await self.start_child<Child>(kPeer, part, parts);

    // Mail.
    co_await self.receive();
    co_await self.receive<std::string>();
    co_await self.receive<std::int64_t, std::string>();
    co_await self.receive(equal);
    co_await self.receive([&](const baton::Mail& mail) { return equal(mail); });
    co_await self.receive_for(5s);
    co_await self.receive_for<std::string>(5s);
    co_await self.receive_for(5s, equal);
    co_await self.receive_for(5s, [&](const baton::Mail& mail) { return equal(mail); });
    const std::optional<std::string> mail = co_await self.receive_for<std::string>(5s);
    if (mail != text) throw std::runtime_error("the mail is another");

    // Tasks and their parameters.
    co_await by_value(self, ask);
    co_await by_value(self, std::move(ask));
    co_await by_value(self, made(text));
    co_await by_reference(self, part);
    co_await of_text(self, text + "y");
    const Part result = co_await with_result(self, part);
    if (result.text != text) throw std::runtime_error("the result is another");
    auto kept = by_value(self, Ask{text, 4});
    co_await kept;
    const auto nested = [text](baton::Self in) -> baton::Task<> {
      co_await in.call<Ask>(kPeer, text);
    };
    co_await nested(self);
  }

  static Ask made(const std::string& text) { return {text, 3}; }
  static baton::Task<> by_value(baton::Self self, Ask ask) {
    co_await self.call(kPeer, ask);
    if (ask.text != kText) throw std::runtime_error("the parameter is another");
  }
  static baton::Task<> by_reference(baton::Self self, const Part& part) {
    co_await self.call<Nested>(kPeer, part);
  }
  static baton::Task<> of_text(baton::Self self, const std::string& text) {
    co_await self.call<Ask>(kPeer, text);
  }
  static baton::Task<Part> with_result(baton::Self self, Part part) {
    co_await self.call<Nested>(kPeer, part);
    co_return part;
  }
};

}  // namespace awaits

int main() { return awaits::run<awaits::Loop>(); }
