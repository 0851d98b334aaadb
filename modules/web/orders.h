// Orders: what the order desk keeps, and what may be asked of it.
//
// An order is never removed, only cancelled, and ids count up from 1: so an order's place is its
// id. Totals are kept, not counted: asking for them costs the same however many orders there are.
//
// An order may have a note. Notes stand beside the orders, not in them: so the orders have the type
// they have in 1.0.0, and any number of them moves at once. The messages of 1.0.0 are as they were.
//
// Invariants:
//   (1) orders[i].id == i + 1.
//   (2) Every key of notes is the id of an order; no note is empty.
//   (3) The totals are those over the orders whose status is open.
// Ownership: the Desk's; one callback at a time.
#pragma once

#include <baton/state.h>

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace web::inline BATON_BUILD {

constexpr std::size_t kOrdersMax = 2'000'000;
constexpr std::int64_t kQuantityMax = 10'000;
constexpr std::int64_t kCentsMax = 100'000'000;  // the price of one piece
/// So large that no total overflows.
static_assert(kOrdersMax * kQuantityMax * kCentsMax < INT64_MAX);
constexpr std::int64_t kPageOrdersMax = 1'000;

enum class Status { open, cancelled };
BATON_ENUM(Status, open, cancelled)

struct Order {
  std::int64_t id = 0;
  std::string item;
  std::int64_t quantity = 0;
  std::int64_t cents = 0;  // the price of one piece
  Status status = Status::open;

  bool operator==(const Order&) const = default;
};
BATON_STATE(Order, id, item, quantity, cents, status)

// ---- Replies -----------------------------------------------------------------------------------

/// There is no such order.
struct NotFound {};
BATON_MESSAGE(NotFound)

/// There are kOrdersMax orders.
struct Full {};
BATON_MESSAGE(Full)

struct Sums {
  std::int64_t orders = 0;
  std::int64_t open = 0;
  std::int64_t quantity = 0;  // of the open orders
  std::int64_t cents = 0;     // of the open orders
};
BATON_MESSAGE(Sums, orders, open, quantity, cents)

struct Page {
  std::vector<Order> orders;
  bool is_last = true;
};
BATON_MESSAGE(Page, orders, is_last)

/// An order and its note, which may be empty.
struct Described {
  Order order;
  std::string note;
};
BATON_MESSAGE(Described, order, note)

// ---- Calls -------------------------------------------------------------------------------------

struct Create {
  using Reply = std::variant<Order, Full>;
  std::string item;
  std::int64_t quantity = 0;
  std::int64_t cents = 0;
};
BATON_MESSAGE(Create, item, quantity, cents)

struct Read {
  using Reply = std::variant<Order, NotFound>;
  std::int64_t id = 0;
};
BATON_MESSAGE(Read, id)

/// Cancelling a cancelled order changes nothing.
struct Cancel {
  using Reply = std::variant<Order, NotFound>;
  std::int64_t id = 0;
};
BATON_MESSAGE(Cancel, id)

/// The orders with the next higher ids, at most `limit`.
struct List {
  using Reply = Page;
  std::int64_t after = 0;
  std::int64_t limit = 100;
};
BATON_MESSAGE(List, after, limit)

struct Totals {
  using Reply = Sums;
};
BATON_MESSAGE(Totals)

struct Describe {
  using Reply = std::variant<Described, NotFound>;
  std::int64_t id = 0;
};
BATON_MESSAGE(Describe, id)

/// Gives an order a note, or takes it away with an empty one.
struct Annotate {
  using Reply = std::variant<Described, NotFound>;
  std::int64_t id = 0;
  std::string note;
};
BATON_MESSAGE(Annotate, id, note)

// ---- The state ---------------------------------------------------------------------------------

struct Orders {
  std::deque<Order> orders;
  std::int64_t open = 0;
  std::int64_t quantity = 0;
  std::int64_t cents = 0;
  std::unordered_map<std::int64_t, std::string> notes;  // by order

  Create::Reply create(const Create& call);
  Read::Reply read(const Read& call) const;
  Cancel::Reply cancel(const Cancel& call);
  Page list(const List& call) const;
  Sums totals() const;
  Describe::Reply describe(const Describe& call) const;
  Describe::Reply annotate(const Annotate& call);

  // 1.0.0 has no notes.
  static baton::Loss loss(const Orders& live, baton::Version to);
  static void discard(Orders& live, baton::Version to) noexcept;
};
BATON_STATE(Orders, orders, open, quantity, cents, notes)

}  // namespace web::inline BATON_BUILD
