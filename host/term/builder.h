// Builder: makes terms from values.
//
//   Builder b;
//   BATON_ASSIGN(Block block, b.finish(b.tuple({atoms::kOk, b.binary("text"), b.list({...})})));
//
// Elements may be terms of this builder, immediates, or terms of any block that lives until finish:
// it copies all of them into one block of the exact size. The builder's own terms live as long as
// it does.
//
// Ownership: owns the words of its terms; shared binaries are counted.
// Threads:   one at a time.
// Fails:     only at the end: extent_of refuses what became too large.
#pragma once

#include "base/result.h"
#include "term/block.h"

#include <baton/abi.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::term {

class Builder {
 public:
  using Terms = std::span<const baton_term>;
  using Pair = std::pair<baton_term, baton_term>;

  Builder() = default;
  ~Builder();
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  baton_term integer(std::int64_t value);
  baton_term unsigned_integer(std::uint64_t value);
  /// Of limbs, least significant first; zero limbs on top and values that fit INT are allowed.
  baton_term big(bool negative, std::span<const std::uint64_t> limbs);
  baton_term real(double value);
  baton_term binary(std::string_view bytes);
  /// Takes a reference of its own.
  baton_term shared(baton_binary* bytes);
  /// Requires: one term in external form, without the version byte, of a kind the host keeps
  /// opaque.
  baton_term external(std::string_view bytes);

  baton_term tuple(Terms elements);
  baton_term tuple(std::initializer_list<baton_term> elements) { return tuple(Terms(elements)); }
  baton_term cons(baton_term head, baton_term tail);
  baton_term list(Terms elements, baton_term tail = BATON_NIL);
  baton_term list(std::initializer_list<baton_term> elements) { return list(Terms(elements)); }
  /// Of equal keys the last pair counts.
  baton_term map(std::span<const Pair> pairs);
  baton_term map(std::initializer_list<Pair> pairs) {
    return map(std::span<const Pair>(pairs.begin(), pairs.size()));
  }
  /// The list of a text's bytes, as Erlang's iolists have it.
  baton_term byte_list(std::string_view bytes, baton_term tail = BATON_NIL);
  /// A deep copy that no longer needs its source.
  Result<baton_term> copy(baton_term t);

  /// A block with a copy of this term as its root. The builder goes on as it is.
  Result<Block> finish(baton_term root) const { return Block::copy_of(root); }

 private:
  baton_term* take(std::size_t words);
  baton_term bytes_of(unsigned kind, std::string_view bytes);

  static constexpr std::size_t kFirstWords = 64;
  baton_term first_[kFirstWords];  // most terms need no memory from the heap
  baton_term* next_ = first_;
  std::size_t left_ = kFirstWords;
  std::vector<std::unique_ptr<baton_term[]>> chunks_;
  std::vector<baton_binary*> shared_;
  std::vector<Block> copies_;
};

}  // namespace baton::term
