// The hash of strings in this process, in the modules' unordered_maps too, under a key of its own.
//
// The library's std::hash has the same seed everywhere: a client who chooses the keys can have all
// of them collide, and hold up the process that serves them. Modules import its function from
// whoever has it first, and that is this program, as it is for operator new. The tables that a
// take-over moves whole keep their hashes, and are read with the same key while the host lives.
#include "base/check.h"
#include "base/sip_hash.h"

#include <sys/random.h>

#include <atomic>
#include <functional>

namespace {

// Not in a variable that begins with a call: others may hash before this file's turn has come.
enum class Progress : std::uint8_t { kNone, kDrawing, kDone };
constinit std::atomic<Progress> progress{Progress::kNone};
constinit baton::SipKey key{};

void draw_key() {
  Progress before = Progress::kNone;
  if (progress.compare_exchange_strong(before, Progress::kDrawing)) {
    BATON_CHECK(getrandom(&key, sizeof key, 0) == sizeof key, "the system has no random bytes");
    progress.store(Progress::kDone, std::memory_order_release);
  }
  while (progress.load(std::memory_order_acquire) != Progress::kDone) continue;
}

}  // namespace

namespace std {

// The library's seeds are kept apart, but there are few.
size_t _Hash_bytes(const void* bytes, size_t size, size_t seed) {
  if (__builtin_expect(progress.load(std::memory_order_acquire) != Progress::kDone, 0)) draw_key();
  const baton::SipKey mixed{{key.words[0] ^ seed, key.words[1]}};
  return baton::sip_hash<1, 3>(mixed, bytes, size);
}

}  // namespace std
