// Check: an invariant of the host, tested in every build.
//
// A failed check is a bug of the host, never bad input: it reports where and aborts, so that the
// next start boots the permanent release (host/README.md, "Errors").
//
// Threads: any thread.
#pragma once

#include <string_view>

namespace baton {

/// Writes the report to standard error and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               std::string_view detail = {});

}  // namespace baton

#define BATON_CHECK(condition, ...)   \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::baton::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__))
