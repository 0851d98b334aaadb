// What the two programs of this folder share: one process whose loop awaits in many ways, driven by
// a host that answers every call and has mail for every receive. Under the address sanitizer it
// shows whether each temporary is destroyed exactly once.
#pragma once

#include "support/fake_host.h"

#include <baton/child.h>

#include <array>
#include <cstdio>

namespace awaits {

using namespace baton::literals;
using namespace std::chrono_literals;

// Long enough to lie on the heap, where destroying it twice is seen.
inline const std::string kText(100, 'x');

struct Part {
  std::string text;
};
BATON_DESCRIBE(Part, text)
struct Ask {
  std::string text;
  std::int64_t number = 0;
  using Reply = std::string;
};
BATON_MESSAGE(Ask, text, number)
struct Nested {
  Part part;
  std::vector<Part> parts;
};
BATON_MESSAGE(Nested, part, parts)
struct Defaulted {
  std::string text = kText;
  std::int64_t number = 0;
};
BATON_MESSAGE(Defaulted, text, number)
struct Narrow {
  std::uint8_t small = 0;
  double real = 0;
};
BATON_MESSAGE(Narrow, small, real)

inline constexpr baton::Atom kPeer("peer");

/// Runs P's loop to its end; 0 if all that it took came back.
template <class P>
int run() {
  static constexpr baton_behaviour behaviour = P::behaviour();
  baton::support::FakeHost host;
  for (const char* atom : {"ok", "undefined", "start_child"}) host.know(atom);
  {
    baton::support::FakeProcess process(host, behaviour);
    int result = process.start();
    std::size_t answered = 0;
    while (result == BATON_AWAIT) {
      // Woken once for nothing, so that the temporaries live through a suspension.
      if ((result = process.resume()) != BATON_AWAIT) break;
      if (answered < host.out.size()) {
        const auto& asked = host.out[answered++];
        if (asked.root.term().is_tuple() && asked.root.term()[0].is_atom("start_child"_atom)) {
          host.mail(BATON_REPLY, std::tuple("ok"_atom, "undefined"_atom), {}, asked.ref);
        } else {
          host.mail(BATON_REPLY, kText, {}, asked.ref);
        }
      } else {
        host.mail(BATON_MESSAGE, kText);
      }
      result = process.resume();
    }
    if (result != BATON_STOP) {
      std::fprintf(stderr, "the loop ended with %d: %s\n", result, host.error().c_str());
      return 1;
    }
    std::fprintf(stderr, "%zu calls\n", host.out.size());
  }
  return host.is_clean() ? 0 : 2;
}

}  // namespace awaits

// These processes spawn nothing, so there is no module to look their behaviours up in.
inline const baton_module* baton::v1::this_module() noexcept { return nullptr; }
