// initialiser: a module with a variable that the compiler does away with, but not with the code
// that made it.
#include <baton/abi.h>

namespace {

constexpr baton_module kDescription = {
    sizeof(baton_module),    BATON_ABI_MAJOR, BATON_ABI_MINOR, "initialiser", "1.0.0", "b", 0,
    sizeof(baton_behaviour), nullptr,         nullptr,         nullptr};

int runs_at_load() {
  __asm__ volatile("");
  return 1;
}
[[maybe_unused]] const int unread = runs_at_load();

}  // namespace

extern "C" __attribute__((visibility("default"))) const baton_module* baton_module_entry(void) {
  return &kDescription;
}

#ifdef STATEFUL
#define STATEFUL_LINE "stateful_globals\n"
#else
#define STATEFUL_LINE ""
#endif
BATON_NOTE(
    "baton-note 1\n"
    "module initialiser\n"
    "version 1.0.0\n"
    "abi 1.2\n"
    "build b\n" STATEFUL_LINE);
