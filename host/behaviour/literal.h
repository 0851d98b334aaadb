// Literal: a term that lives for itself, shared and never changed: an argument, an id, a reason
// kept.
//
// Copying one copies a pointer. Immediate terms need no memory at all.
//
// Threads: a value type; the term may be read from any thread.
#pragma once

#include "base/result.h"
#include "term/atom_table.h"
#include "term/block.h"

#include <baton/abi.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace baton::behaviour {

class Literal {
 public:
  /// No term.
  Literal() = default;
  /// A copy of the term. What is too large to copy (kTermWordsMax) becomes the atom system_limit.
  explicit Literal(baton_term t);

  static Result<Literal> parse(std::string_view text, term::AtomTable& atoms);

  /// Lives as long as any copy of this literal.
  baton_term root() const { return root_; }
  explicit operator bool() const { return root_ != BATON_NO_TERM; }
  friend bool operator==(const Literal& a, const Literal& b);

 private:
  explicit Literal(term::Block block);

  baton_term root_ = BATON_NO_TERM;
  std::shared_ptr<const term::Block> block_;  // null for an immediate term
};

struct LiteralHash {
  std::size_t operator()(const Literal& literal) const;
};

}  // namespace baton::behaviour
