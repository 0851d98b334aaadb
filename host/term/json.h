// Json: a term as JSON, for programs that read what the host says. One way only.
//
//   integer, float            number, integers with all their digits; null for a float that is none
//   true, false, null         the literals; other atoms and binaries: strings
//   list, tuple               array; an improper list ends with its tail
//   map                       object in the order of its keys, which are the text of atoms and
//                             binaries; any other key, and one whose text is taken already, stands
//                             in Erlang's text form
//   anything else             a string with Erlang's text form, also binaries that are not UTF-8
//
// Threads: any.
// Fails:   never; what passes kTermDepthMax shows as "...". Beyond kTextBytesMax a list or tuple
//          ends with "...", and a map with the keys that it has until then.
#pragma once

#include "term/atom_table.h"

#include <baton/abi.h>

#include <string>
#include <string_view>

namespace baton::term {

std::string to_json(baton_term t, const AtomTable& atoms);
/// A JSON string, quotes included. Requires: UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace baton::term
