// Copy: how large a term is, and a deep copy of it into a message.
//
// Two steps, so that the caller takes the memory from where it likes:
//   extent_of(t) -> allocate total() words, and those wanted in front -> copy_into(message, at, t)
//
// What a term shares within itself is copied once for each use, as in Erlang.
//
// Threads: any; the source must live through both steps.
#pragma once

#include "base/result.h"
#include "term/limits.h"

#include <baton/abi.h>

#include <cstddef>
#include <cstdint>

namespace baton::term {

struct Extent {
  std::size_t words = 0;
  /// Then a block needs one more word, for the chain of its SHARED headers.
  bool has_shared = false;
  std::size_t total() const { return words + (has_shared ? 1 : 0); }
};

/// The words a copy takes. Fails beyond `words_max`.
Result<Extent> extent_of(baton_term t, std::size_t words_max = kTermWordsMax);

/// Writes a copy from word[at] on, takes references to shared binaries, and makes the copy the
/// root. Requires: extent_of(t).total() words from there on, and a message without SHARED headers
/// so far.
void copy_into(baton_message* message, std::uint32_t at, baton_term t);

}  // namespace baton::term
