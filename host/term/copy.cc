#include "term/copy.h"

#include "term/binary.h"
#include "term/layout.h"

#include <boost/container/small_vector.hpp>

#include <cstring>
#include <string>

namespace baton::term {

Result<Extent> extent_of(baton_term t, std::size_t words_max) {
  Extent extent;
  // A term may be of any depth: no recursion. Most need no memory for it.
  boost::container::small_vector<baton_term, 16> waiting;
  for (;;) {
    if (extent.words > words_max)
      return Error(Code::kFailed, "the term has more than " + std::to_string(words_max) + " words");
    if (is_cell(t)) {
      extent.words += 2;
      if (!is_immediate(head(t))) waiting.push_back(head(t));
      t = tail(t);
      continue;
    }
    if (is_boxed(t)) {
      const baton_term* word = words_at(t);
      const std::size_t payload = payload_words(*word);
      extent.words += 1 + payload;
      const unsigned kind = header_kind(*word);
      if (kind == BATON_KIND_SHARED) extent.has_shared = true;
      if (kind == BATON_KIND_TUPLE || kind == BATON_KIND_MAP)
        for (std::size_t i = 1; i <= payload; ++i)
          if (!is_immediate(word[i])) waiting.push_back(word[i]);
    }
    if (waiting.empty()) break;
    t = waiting.back();
    waiting.pop_back();
  }
  if (extent.words > words_max)
    return Error(Code::kFailed, "the term has more than " + std::to_string(words_max) + " words");
  return extent;
}

// Breadth first and without a stack: what lies between `scan` and `end` was copied as it is, so its
// terms still point at the source; each is copied to the end in its turn.
void copy_into(baton_message* message, std::uint32_t at, baton_term t) {
  BATON_CHECK(at <= message->words && !(message->flags & BATON_MESSAGE_HAS_SHARED));
  baton_term* scan = message->word + at;
  baton_term* end = scan;
  const baton_term* const limit = message->word + message->words;
  baton_term shared = 0;

  const auto move_to_end = [&](baton_term from) -> baton_term {
    if (is_immediate(from)) return from;
    const baton_term* word = words_at(from);
    const std::size_t words = is_cell(from) ? 2 : 1 + payload_words(*word);
    BATON_CHECK(words <= static_cast<std::size_t>(limit - end), "the message is too small");
    baton_term* to = end;
    end += words;
    std::memcpy(to, word, words * sizeof(baton_term));
    if (is_cell(from)) return cell_at(to);
    if (header_kind(*to) == BATON_KIND_SHARED) {
      retain(reinterpret_cast<baton_binary*>(to[1]));
      to[2] = shared;
      shared = boxed_at(to);
    }
    return boxed_at(to);
  };

  message->root = move_to_end(t);
  while (scan != end) {
    if (tag_of(*scan) != BATON_TAG_HEADER) {
      *scan = move_to_end(*scan);
      ++scan;
      continue;
    }
    const unsigned kind = header_kind(*scan);
    const bool holds_terms = kind == BATON_KIND_TUPLE || kind == BATON_KIND_MAP;
    scan += holds_terms ? 1 : 1 + payload_words(*scan);
  }
  if (shared != 0) {
    BATON_CHECK(end < limit, "no word left for the chain of shared binaries");
    message->word[message->words - 1] = shared;
    message->flags |= BATON_MESSAGE_HAS_SHARED;
  }
}

}  // namespace baton::term
