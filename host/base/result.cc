#include "base/result.h"

namespace baton {

namespace {
struct Row {
  Code code;
  const char* name;
  int exit;
};
// The exit codes of the command line: part of its contract with scripts, never renumbered.
constexpr Row kRows[] = {
    {Code::kFailed, "failed", 1},
    {Code::kUsage, "usage", 2},
    {Code::kUnreachable, "unreachable", 3},
    {Code::kNotFound, "not_found", 4},
    {Code::kDenied, "denied", 5},
    {Code::kRefused, "refused", 6},
    {Code::kRolledBack, "rolled_back", 7},
    {Code::kStuck, "stuck", 8},
    {Code::kBusy, "busy", 9},
    {Code::kTimedOut, "timed_out", 10},
};
const Row& row(Code code) {
  for (const Row& r : kRows)
    if (r.code == code) return r;
  BATON_CHECK(false, "a Code without a row");
  return kRows[0];
}
}  // namespace

const char* code_name(Code code) { return row(code).name; }
int exit_code(Code code) { return row(code).exit; }

}  // namespace baton
