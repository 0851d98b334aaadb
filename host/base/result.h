// Result: a value, or the Error that says why there is none.
//
// The form of every operating error in the host (a file is missing, a bundle is refused): returned
// upwards until someone can decide. Bugs are BATON_CHECK's; what a module throws is an exit reason.
//
// Threads: a value type.
#pragma once

#include "base/check.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace baton {

/// What kind of failure: decides the exit code of the command line (exit_code below).
enum class Code {
  kFailed,       // it failed and nothing changed
  kUsage,        // the caller asked wrongly
  kUnreachable,  // the host is not running or cannot be reached
  kNotFound,     // no such release, module, process, file
  kDenied,       // the caller may not
  kRefused,      // the bundle or module was refused: signature, hash, ABI, gate
  kRolledBack,   // it failed after it took effect, and was undone
  kStuck,        // undoing it failed too: a human is needed
  kBusy,         // another operation holds the lock
  kTimedOut,     // the wait timed out
};

/// The code's name as JSON and crash reports show it: "failed", "usage", ...
const char* code_name(Code code);
/// The process exit code of the command line for this kind of failure.
int exit_code(Code code);

/// Why an operation failed: the innermost message, and what was being done, outermost first.
class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  /// Puts what was being attempted before the message: "while doing this: message".
  Error within(const std::string& doing) && {
    message_ = doing + ": " + message_;
    return std::move(*this);
  }

 private:
  Code code_;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : either_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : either_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return either_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Requires: ok().
  T& value() & { return BATON_CHECK(ok(), message()), std::get<0>(either_); }
  const T& value() const& { return BATON_CHECK(ok(), message()), std::get<0>(either_); }
  /// By value, as a reference would outlive the temporary that it is taken from.
  T value() && { return BATON_CHECK(ok(), message()), std::get<0>(std::move(either_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires: not ok().
  const Error& error() const& { return BATON_CHECK(!ok()), std::get<1>(either_); }
  Error error() && { return BATON_CHECK(!ok()), std::get<1>(std::move(either_)); }

 private:
  std::string message() const { return ok() ? std::string() : std::get<1>(either_).message(); }
  std::variant<T, Error> either_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return BATON_CHECK(!ok()), *error_; }
  Error error() && { return BATON_CHECK(!ok()), *std::move(error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace baton

// Returns the error of a Result from the enclosing function, or goes on.
#define BATON_TRY(expression)                                 \
  do {                                                        \
    auto baton_try = (expression);                            \
    if (!baton_try.ok()) return std::move(baton_try).error(); \
  } while (0)

#define BATON_JOIN2(a, b) a##b
#define BATON_JOIN(a, b) BATON_JOIN2(a, b)
// Declares `name` with the value of a Result, or returns its error from the enclosing function.
#define BATON_ASSIGN(name, expression)                             \
  auto BATON_JOIN(baton_result_, __LINE__) = (expression);         \
  if (!BATON_JOIN(baton_result_, __LINE__).ok())                   \
    return std::move(BATON_JOIN(baton_result_, __LINE__)).error(); \
  name = std::move(BATON_JOIN(baton_result_, __LINE__)).value()
