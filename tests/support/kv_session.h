// The kv versions' sessions, opened the same way: those that know time take it, and the
// wall clock, as last arguments.
#pragma once

#include "session.h"

#include <cstdint>
#include <string_view>
#include <type_traits>

namespace kv {

template <class S = Session>
S open_session(State& state, Connection& connection, std::string_view chunk,
               [[maybe_unused]] std::int64_t now_ms, [[maybe_unused]] std::int64_t (*unix_ms)()) {
  if constexpr (std::is_constructible_v<S, State&, Connection&, std::string_view, std::int64_t,
                                        std::int64_t (*)()>) {
    return S(state, connection, chunk, now_ms, unix_ms);
  } else {
    return S(state, connection, chunk);
  }
}

}  // namespace kv
