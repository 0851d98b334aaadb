// Atom: the term of an atom's text, at compile time, and the names the host says often.
//
// An atom's word is a hash of its text (baton/abi.h), so no table is needed to make one. To print
// it, an AtomTable must have seen the text; the names below are in every table from the start.
#pragma once

#include <baton/abi.h>

#include <string_view>

namespace baton::term {

/// The atom of this text: baton_atom, usable in constants. Does not look at length or encoding.
constexpr baton_term atom(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return (hash & ~std::uint64_t{7}) | BATON_TAG_ATOM;
}

// One line per name: the constant atoms::kName and the text that each AtomTable starts with.
#define BATON_USUAL_ATOMS(X)            \
  X(kAlreadyStarted, "already_started") \
  X(kBadArg, "badarg")                  \
  X(kBadRpc, "badrpc")                  \
  X(kBrutalKill, "brutal_kill")         \
  X(kCall, "$gen_call")                 \
  X(kCast, "$gen_cast")                 \
  X(kDown, "DOWN")                      \
  X(kError, "error")                    \
  X(kExit, "EXIT")                      \
  X(kFalse, "false")                    \
  X(kIgnore, "ignore")                  \
  X(kInfinity, "infinity")              \
  X(kKill, "kill")                      \
  X(kKilled, "killed")                  \
  X(kNoConnection, "noconnection")      \
  X(kNoNode, "nonode@nohost")           \
  X(kNoProc, "noproc")                  \
  X(kNormal, "normal")                  \
  X(kNull, "null")                      \
  X(kOk, "ok")                          \
  X(kPermanent, "permanent")            \
  X(kProcess, "process")                \
  X(kReply, "reply")                    \
  X(kShutdown, "shutdown")              \
  X(kSystem, "system")                  \
  X(kSystemLimit, "system_limit")       \
  X(kTemporary, "temporary")            \
  X(kTimeout, "timeout")                \
  X(kTransient, "transient")            \
  X(kTrue, "true")                      \
  X(kUndefined, "undefined")

namespace atoms {
#define BATON_ATOM_CONSTANT(NAME, TEXT) inline constexpr baton_term NAME = atom(TEXT);
BATON_USUAL_ATOMS(BATON_ATOM_CONSTANT)
#undef BATON_ATOM_CONSTANT
}  // namespace atoms

constexpr baton_term boolean(bool value) { return value ? atoms::kTrue : atoms::kFalse; }

}  // namespace baton::term
