#include "term/match.h"

#include "term/atom.h"
#include "term/compare.h"

namespace baton::term {

std::optional<TupleView> tuple_of(baton_term t, std::size_t arity) {
  const auto tuple = as_tuple(t);
  return tuple && tuple->size() == arity ? tuple : std::nullopt;
}

std::optional<TupleView> tagged_tuple(baton_term t, baton_term tag, std::size_t arity) {
  const auto tuple = tuple_of(t, arity);
  return tuple && arity > 0 && (*tuple)[0] == tag ? tuple : std::nullopt;
}

std::optional<baton_term> map_value(baton_term map, baton_term key) {
  const auto pairs = as_map(map);
  if (!pairs) return std::nullopt;
  for (std::size_t i = 0; i < pairs->size(); ++i)
    if (equal(pairs->key(i), key)) return pairs->value(i);
  return std::nullopt;
}

std::optional<baton_term> property(baton_term list, baton_term key) {
  for (baton_term element : elements(list)) {
    const auto pair = tuple_of(element, 2);
    if (pair && equal((*pair)[0], key)) return (*pair)[1];
    if (is_atom(element) && element == key) return atoms::kTrue;
  }
  return std::nullopt;
}

std::optional<baton_term> option(baton_term map_or_list, baton_term key) {
  return is_cell(map_or_list) ? property(map_or_list, key) : map_value(map_or_list, key);
}

std::optional<bool> as_boolean(baton_term t) {
  if (t == atoms::kTrue) return true;
  if (t == atoms::kFalse) return false;
  return std::nullopt;
}

}  // namespace baton::term
