#include "behaviour/literal.h"

#include "term/atom.h"
#include "term/compare.h"
#include "term/hash.h"
#include "term/layout.h"
#include "term/text.h"

#include <utility>

namespace baton::behaviour {

Literal::Literal(baton_term t) : root_(t) {
  if (t == BATON_NO_TERM || term::is_immediate(t)) return;
  auto copied = term::Block::copy_of(t);
  if (!copied.ok()) {
    root_ = term::atoms::kSystemLimit;
    return;
  }
  *this = Literal(std::move(copied).value());
}

Literal::Literal(term::Block block)
    : root_(block.root()), block_(std::make_shared<const term::Block>(std::move(block))) {}

Result<Literal> Literal::parse(std::string_view text, term::AtomTable& atoms) {
  BATON_ASSIGN(term::Block block, term::parse(text, atoms));
  return Literal(std::move(block));
}

bool operator==(const Literal& a, const Literal& b) {
  if (a.root_ == b.root_) return true;
  return a && b && term::equal(a.root_, b.root_);
}

std::size_t LiteralHash::operator()(const Literal& literal) const {
  return literal ? term::hash(literal.root()) : 0;
}

}  // namespace baton::behaviour
