#include "term/block.h"

#include "term/binary.h"
#include "term/copy.h"
#include "term/limits.h"

#include <cstdlib>
#include <new>
#include <string>

namespace baton::term {

Block::~Block() {
  if (message_ == nullptr) return;
  release_shared(message_);
  std::free(message_);
}

Result<Block> Block::allocate(std::size_t words) {
  if (words > kTermWordsMax)
    return Error(Code::kFailed, "a term of " + std::to_string(words) + " words; at most " +
                                    std::to_string(kTermWordsMax) + " are allowed");
  void* raw = std::malloc(sizeof(baton_message) + words * sizeof(baton_term));
  if (raw == nullptr)
    return Error(Code::kFailed, "no memory for a term of " + std::to_string(words) + " words");
  auto* message = new (raw) baton_message;
  message->next = nullptr;
  message->kind = BATON_MESSAGE;
  message->pool = 0;
  message->flags = 0;
  message->words = static_cast<std::uint32_t>(words);
  message->from = BATON_NO_TERM;
  message->root = BATON_NO_TERM;
  Block block;
  block.message_ = message;
  return block;
}

Result<Block> Block::copy_of(baton_term t) {
  BATON_ASSIGN(const Extent extent, extent_of(t));
  BATON_ASSIGN(Block block, allocate(extent.total()));
  copy_into(block.message(), 0, t);
  return block;
}

}  // namespace baton::term
