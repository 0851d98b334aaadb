// expects: baton: BATON_STATE\(Forgetful, ...\) does not name every member
// expects: baton: BATON_STATE\(Reordered, ...\) does not name every member in the order
// expects: baton: Constructed must be a plain aggregate: no constructors
// expects: 'vlaue' is not a member of 'sample::Misspelt'
// expects: 'total' is not a member of 'sample::Renamed'
// expects: 'cache' is not a member of 'sample::Renamed'
// expects: baton: write static void code_change\(State& made, .* old, baton::Version from\)
// expects: baton: write static baton::Loss loss\(const State& live, baton::Version to\)
// expects: baton: State::discard runs inside a commit: declare it noexcept
// expects: baton: BATON_MESSAGE\(Increment, ...\) must name every member of Increment
// expects: baton: Carrier::raw has no term form and cannot be sent: use one of the types listed
// expects: baton: Carrier::delay has no term form and cannot be sent: .*of a std::chrono type
// expects: baton: Carrier::part has no term form .*or describe its type with BATON_MESSAGE
#include <baton/state.h>

#include <chrono>

namespace sample {

struct Forgetful {
  int value = 0;
  bool forgotten = false;
};
BATON_STATE(Forgetful, value)

struct Reordered {
  int value = 0;
  std::string name;
};
BATON_STATE(Reordered, name, value)

struct Constructed {
  Constructed() {}
  int value = 0;
};
BATON_STATE(Constructed, value)

struct Misspelt {
  int value = 0;
};
BATON_STATE(Misspelt, vlaue)

struct Renamed {
  int value = 0;
};
BATON_STATE(Renamed, value)
BATON_RENAMED(Renamed, total, value)
BATON_DISPOSABLE(Renamed, cache)

struct Hooked {
  int value = 0;
  static void code_change(Hooked&, int) {}
  static int loss(Hooked&) { return 0; }
};
BATON_STATE(Hooked, value)

struct Throwing {
  int value = 0;
  static void discard(Throwing&, baton::Version) {}
};
BATON_STATE(Throwing, value)

struct Increment {
  int by = 1;
  int times = 1;
};
BATON_MESSAGE(Increment, by)

struct Plain {};
struct Carrier {
  const int* raw = nullptr;
  std::chrono::seconds delay{};
  Plain part;
};
BATON_MESSAGE(Carrier, raw, delay, part)

const baton_schema* hooked() { return &baton::Schema<Hooked>::value; }
const baton_schema* throwing() { return &baton::Schema<Throwing>::value; }

}  // namespace sample
