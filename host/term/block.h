// Block: owns a baton_message from the heap, and the term in it.
//
// For terms outside the runtime: parsed text, decoded frames, configuration. The runtime's own
// messages come from its pools; extent_of and copy_into (copy.h) bring a term from one to the
// other.
//
// Ownership: the block owns its message and the references in it; terms read from it live as long.
// Threads:   any; movable, one owner.
#pragma once

#include "base/result.h"

#include <baton/abi.h>

#include <cstddef>
#include <utility>

namespace baton::term {

class Block {
 public:
  /// Holds nothing; root is "no term".
  Block() = default;
  Block(Block&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~Block();

  /// Room for that many words, with root not set yet. Fails beyond kTermWordsMax or without memory.
  static Result<Block> allocate(std::size_t words);
  /// A deep copy of a term.
  static Result<Block> copy_of(baton_term t);

  explicit operator bool() const { return message_ != nullptr; }
  baton_term root() const { return message_ ? message_->root : BATON_NO_TERM; }
  baton_message* message() { return message_; }
  const baton_message* message() const { return message_; }

 private:
  baton_message* message_ = nullptr;
};

}  // namespace baton::term
