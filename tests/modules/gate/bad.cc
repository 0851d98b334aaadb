// bad: what only C++ can do against the gate's rules, chosen by a macro.
#include <baton/abi.h>

#if defined(BAD_THREAD)
#include <thread>
#endif

namespace {

constexpr baton_module kDescription = {
    sizeof(baton_module),    BATON_ABI_MAJOR, BATON_ABI_MINOR, "bad",  "1.0.0", "bad", 0,
    sizeof(baton_behaviour), nullptr,         nullptr,         nullptr};

BATON_NOTE("baton-note 1\nmodule bad\nversion 1.0.0\nabi 1.2\nbuild bad\n");

}  // namespace

#if defined(BAD_UNIQUE)
template <class T>
struct __attribute__((visibility("default"))) Shared {
  static inline int seen = 0;
};
#endif

extern "C" __attribute__((visibility("default"))) const baton_module* baton_module_entry() {
#if defined(BAD_UNIQUE)
  Shared<int>::seen++;
#elif defined(BAD_THREAD)
  std::thread([] {}).join();
#endif
  return &kDescription;
}
