#include "term/binary.h"

#include "base/check.h"
#include "term/layout.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace baton::term {

baton_binary* new_binary(std::size_t size) {
  if (size > SIZE_MAX - sizeof(baton_binary)) return nullptr;
  void* raw = std::malloc(sizeof(baton_binary) + size);
  if (raw == nullptr) return nullptr;
  auto* binary = new (raw) baton_binary;
  binary->references = 1;
  binary->size = size;
  return binary;
}

void retain(baton_binary* binary) {
  const auto before = std::atomic_ref(binary->references).fetch_add(1, std::memory_order_relaxed);
  BATON_CHECK(before != 0, "a binary was retained after its end");
}

void release(baton_binary* binary) {
  const auto before = std::atomic_ref(binary->references).fetch_sub(1, std::memory_order_acq_rel);
  BATON_CHECK(before != 0, "a binary was released too often");
  if (before == 1) std::free(binary);
}

void release_shared(baton_message* message) {
  if (!(message->flags & BATON_MESSAGE_HAS_SHARED)) return;
  message->flags &= static_cast<std::uint16_t>(~BATON_MESSAGE_HAS_SHARED);
  for (baton_term at = message->word[message->words - 1]; at != 0;) {
    const baton_term* header = words_at(at);
    at = header[2];
    release(reinterpret_cast<baton_binary*>(header[1]));
  }
}

}  // namespace baton::term
