// Text: Erlang's text form of terms, printed and parsed.
//
// What is printed parses to an equal term. It is what Erlang's ~tp shows, on one line:
//   12  -7  1.5  1.0e10      integers and floats, shortest that reads back the same
//   ok  'two words'          atoms, quoted where Erlang needs it
//   "abc"                    a proper list of printable Latin-1 characters
//   <<"abc">>  <<"été"/utf8>>  <<1,2>>    binaries: ASCII, UTF-8, not printable
//   [1,2|tail]  {a,b}  #{key => value}     a map's pairs in the order of their keys
//   <0.INDEX.GENERATION>  #Ref<0.COUNTER.MAKER>  #Port<0.N>
// and, where Erlang has no form that reads back:
//   16#FF..                  integers of more limbs than are converted to decimal
//   #Float<HEX>              an infinite float or none at all, by its bits
//   #Atom<HEX>               an atom whose text the table does not know, by its word
//   #External<HEX>           a term of another node, in external form
//
// The parser also takes comments (% to the end of the line), white space, 16#ff, 1_000, $a,
// escapes, adjacent strings, and a full stop at the end.
//
// Threads: any.
// Fails:   kUsage with "line:column: expected ..., found ..."; kFailed where a limit of limits.h
//          is passed.
#pragma once

#include "base/result.h"
#include "term/atom_table.h"
#include "term/block.h"
#include "term/limits.h"

#include <baton/abi.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace baton::term {

struct PrintLimits {
  std::size_t bytes = kTextBytesMax;
  std::size_t depth = kTermDepthMax;
};

/// What passes a limit shows as "..." (which does not parse).
std::string print(baton_term t, const AtomTable& atoms, PrintLimits limits = {});

/// The one term that the text holds. Its new atoms enter the table, on that account, once all of
/// the text has turned out right.
Result<Block> parse(std::string_view text, AtomTable& atoms, AtomShare share = AtomShare::kHost);

/// A finite float, shortest that reads back the same, always with a point.
std::string print_float(double value);

}  // namespace baton::term
