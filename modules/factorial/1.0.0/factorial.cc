// Factorial: a gen_server, registered as factorial, that answers a call with an integer N by N!.
//
//   1> gen_server:call(factorial, 20).
//   2432902008176640000
//   2> gen_server:call(factorial, -1).
//   {error,<<"expected an integer from 0 to 20000">>}
//
// The first thing to read when you write a module: a state, the messages it takes, a handler for
// each.

#include <baton/baton.h>

namespace factorial::inline BATON_BUILD {

using namespace baton::literals;

// 20000! has 77,338 digits and takes some tens of milliseconds; a callback should not take longer.
constexpr std::int64_t kArgumentMax = 20000;

/// Travels as the atom stats; it is answered with how many factorials were computed.
struct Stats {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Stats)

/// Travels as {error, Reason}.
struct Error {
  std::string reason;
};
BATON_MESSAGE(Error, reason)

struct State {
  std::int64_t computed = 0;
};
BATON_STATE(State, computed)

/// Multiplies as on paper, with digits of 64 bits, the least significant first.
baton::BigInteger compute(std::int64_t n) {
  __extension__ using Wide = unsigned __int128;
  std::vector<std::uint64_t> product{1};
  for (std::int64_t factor = 2; factor <= n; ++factor) {
    Wide carry = 0;
    for (std::uint64_t& digit : product) {
      carry += static_cast<Wide>(digit) * static_cast<std::uint64_t>(factor);
      digit = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) product.push_back(static_cast<std::uint64_t>(carry));
  }
  return {false, std::move(product)};
}

struct Factorial : baton::GenServer<Factorial, State> {
  // An integer, stats, or any other term: tried in this order.
  using Calls = baton::Messages<std::int64_t, Stats, baton::Term>;

  void init() { register_name("factorial"_atom); }

  std::variant<baton::BigInteger, Error> handle_call(const std::int64_t& n) {
    if (n < 0 || n > kArgumentMax) return refusal();
    ++state().computed;
    return compute(n);
  }
  std::int64_t handle_call(const Stats&) { return state().computed; }
  Error handle_call(const baton::Term&) { return refusal(); }

 private:
  static Error refusal() {
    return {"expected an integer from 0 to " + std::to_string(kArgumentMax)};
  }
};

}  // namespace factorial::inline BATON_BUILD

BATON_MODULE("factorial", "1.0.0", factorial::Factorial)
