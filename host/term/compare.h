// Compare: when terms are equal, and their order.
//
// Equal is Erlang's =:=: 1 and 1.0 differ, maps are equal regardless of the order of their pairs,
// binaries regardless of where their bytes lie. Order is Erlang's total order, where 1 and 1.0 are
// equivalent:
//   number < atom < reference < fun < port < pid < tuple < map < nil < list < bitstring
// Atoms are ordered by text; pids, references and ports of this node come before those of others.
//
// Departures: a float that is no number comes after all numbers and equals itself. Maps inside keys
// of maps inside keys, more than kTermDepthMax times, are ordered by hash (only a module can build
// such).
//
// Threads: any. Terms may be of any depth.
#pragma once

#include "term/atom_table.h"

#include <baton/abi.h>

#include <compare>

namespace baton::term {

bool equal(baton_term a, baton_term b);

/// Erlang's <, ==, >. Atoms the table does not know come last, by their word.
std::weak_ordering order(baton_term a, baton_term b, const AtomTable& atoms);

/// The order of keys in a map: an integer is less than a float, so that equivalent means equal.
std::weak_ordering key_order(baton_term a, baton_term b, const AtomTable& atoms);
/// The same with atoms by their word: fast, and good enough to find equals.
std::weak_ordering key_order(baton_term a, baton_term b);

}  // namespace baton::term
