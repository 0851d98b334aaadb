// Hash: a number for a term, equal for equal terms (compare.h).
//
// For tables in memory: the function may change between versions, so hashes are never stored or
// sent.
//
// Threads: any.
#pragma once

#include <baton/abi.h>

#include <cstdint>

namespace baton::term {

/// Looks at the whole term, but no deeper than kTermDepthMax.
std::uint64_t hash(baton_term t);

}  // namespace baton::term
