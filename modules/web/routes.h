// Routes: from an HTTP request to what is asked of the desk, and from its reply to an answer.
//
//   request              asks for                                           answer
//   GET /health          nothing                                            200 {"status"}
//   POST /orders         NewOrder, from {"item","quantity","price","note"}  201 the order
//   GET /orders          List, by after=ID and limit=N                      200 {"orders","next"}
//   GET /orders/ID       Describe                                           200 the order, 404
//   PUT /orders/ID/note  Annotate, from {"note"}                            200 the order, 404
//   DELETE /orders/ID    Cancel, then Describe                              200 the order, 404
//   GET /totals          Totals                                             200 {"orders",...}
//
// An order is {"id","item","quantity","price","status"}, and "note" if it has one; not in lists.
// Wherever GET is allowed HEAD is. Another method is 405, another path 404, a body or query that is
// not as above 400; each with {"error"}, which says what to do about it.
//
// Threads: pure functions.
#pragma once

#include "orders.h"

#include <baton/term.h>

#include <string>
#include <string_view>
#include <variant>

namespace web::inline BATON_BUILD {

constexpr std::size_t kItemBytesMax = 200;
constexpr std::size_t kNoteBytesMax = 1'000;

/// An order to be made, and then given its note unless that is empty.
struct NewOrder {
  Create create;
  std::string note;
};

struct Answer {
  int status = 200;
  std::string body;
  std::string allow = {};     // of a 405: the methods that are
  std::string location = {};  // of a 201: where the order is
};

/// What is to be asked of the desk; or the answer, where it need not be asked.
using Question = std::variant<Answer, NewOrder, Describe, Annotate, Cancel, List, Totals>;

/// `target` is the path and the query, as sent.
Question route(baton::Atom method, std::string_view target, std::string_view body);

Answer refusal(int status, std::string_view error);
/// To a NewOrder that was made, and has this note.
Answer answer(const Create::Reply& reply, std::string_view note);
/// To Describe and to Annotate.
Answer answer(const Describe::Reply& reply);
Answer answer(const Page& page);
Answer answer(const Sums& sums);

}  // namespace web::inline BATON_BUILD
