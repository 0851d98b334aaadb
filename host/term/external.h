// External: Erlang's external term format, as terms travel between nodes and into files.
//
//   term        sent as
//   INT         SMALL_INTEGER, INTEGER, SMALL_BIG
//   ATOM        SMALL_ATOM_UTF8; read: all four forms, Latin-1 too
//   PID         NEW_PID: our name, id = index, serial = generation, our creation
//   REF         NEWER_REFERENCE of 3 words: 18 low bits of the term's 61, the next 32, the rest
//   port        V4_PORT: id = generation and index
//   lists       STRING when all are bytes and at most 65535, else LIST
//   the others  TUPLE, MAP, NEW_FLOAT, BINARY, BIG, small or large
//
// Pids, references and ports of other nodes, funs, and binaries of odd bits are not looked into:
// they stay EXTERNAL, in their newest form so that equal ones have equal bytes, and are sent as
// they came. Compressed terms and the atom cache are refused.
//
// Decoding trusts nothing: two passes over the same bytes, one that checks and measures, one that
// builds.
//
// Threads: any.
// Fails:   kFailed with the byte's place.
// See:     erts, "External Term Format"
#pragma once

#include "base/result.h"
#include "term/atom.h"
#include "term/atom_table.h"
#include "term/block.h"
#include "term/limits.h"

#include <baton/abi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton::term {

inline constexpr unsigned char kExternalVersion = 131;

/// Who we are in the pids that we send; pids with the same name and creation are ours when read.
struct NodeName {
  baton_term name = atoms::kNoNode;
  std::uint32_t creation = 0;
};

struct EncodeOptions {
  NodeName node{};
  bool version = true;  // begin with the byte 131
};
/// Appends to `out`, which is as it was on failure: an atom without known text, a float that is
/// none, or an integer, tuple, list or binary too long for the format.
Result<void> encode_external(baton_term t, const AtomTable& atoms, std::string& out,
                             const EncodeOptions& options = {});

struct DecodeOptions {
  NodeName node{};
  bool version = true;
  std::size_t words_max = kTermWordsMax;
};
struct Decoded {
  Block block;
  std::size_t bytes;  // how many were read: more may follow
};
/// The first term in the bytes. New atoms enter the table, once all bytes were found good.
Result<Decoded> decode_external(std::string_view bytes, AtomTable& atoms,
                                const DecodeOptions& options = {});

/// Whether the bytes, without version byte, are exactly one term of a kind that stays EXTERNAL.
Result<void> check_opaque(std::string_view bytes);

}  // namespace baton::term
