// Match: the questions asked of a term most often: a tuple of that shape, the value of that key.
//
// Threads: any. What is returned borrows from the term.
#pragma once

#include "term/layout.h"

#include <baton/abi.h>

#include <optional>

namespace baton::term {

/// The elements of a tuple with this many.
std::optional<TupleView> tuple_of(baton_term t, std::size_t arity);
/// The elements of a tuple with this many, the first of which is `tag`, as in {error, Reason}.
std::optional<TupleView> tagged_tuple(baton_term t, baton_term tag, std::size_t arity);
/// The value of an equal key; nothing also for what is no map.
std::optional<baton_term> map_value(baton_term map, baton_term key);
/// What a property list says of a key: the value of the first {Key, Value}, or true for the key
/// alone.
std::optional<baton_term> property(baton_term list, baton_term key);
/// The value of a key in a map or a property list: options come as either.
std::optional<baton_term> option(baton_term map_or_list, baton_term key);
std::optional<bool> as_boolean(baton_term t);

}  // namespace baton::term
