#include "orders.h"

#include <algorithm>

namespace web::inline BATON_BUILD {
namespace {

constexpr baton::Version kFirstWithNotes{1, 1, 0};

template <class Deque>
auto* find(Deque& orders, std::int64_t id) {
  const auto place = static_cast<std::uint64_t>(id) - 1;  // an id of 0 or less is far too high then
  return place < orders.size() ? &orders[place] : nullptr;
}

}  // namespace

Create::Reply Orders::create(const Create& call) {
  if (orders.size() >= kOrdersMax) return Full{};
  const auto id = static_cast<std::int64_t>(orders.size()) + 1;
  orders.push_back({id, call.item, call.quantity, call.cents, Status::open});
  ++open;
  quantity += call.quantity;
  cents += call.quantity * call.cents;
  return orders.back();
}

Read::Reply Orders::read(const Read& call) const {
  const Order* order = find(orders, call.id);
  if (order == nullptr) return NotFound{};
  return *order;
}

Cancel::Reply Orders::cancel(const Cancel& call) {
  Order* order = find(orders, call.id);
  if (order == nullptr) return NotFound{};
  if (order->status == Status::open) {
    order->status = Status::cancelled;
    --open;
    quantity -= order->quantity;
    cents -= order->quantity * order->cents;
  }
  return *order;
}

Page Orders::list(const List& call) const {
  const auto size = static_cast<std::int64_t>(orders.size());
  const std::int64_t from = std::clamp<std::int64_t>(call.after, 0, size);
  const std::int64_t limit = std::clamp<std::int64_t>(call.limit, 0, kPageOrdersMax);
  const std::int64_t to = std::min(from + limit, size);
  return {std::vector<Order>(orders.begin() + from, orders.begin() + to), to == size};
}

Sums Orders::totals() const {
  return {static_cast<std::int64_t>(orders.size()), open, quantity, cents};
}

Describe::Reply Orders::describe(const Describe& call) const {
  const Order* order = find(orders, call.id);
  if (order == nullptr) return NotFound{};
  const auto note = notes.find(call.id);
  return Described{*order, note == notes.end() ? "" : note->second};
}

Describe::Reply Orders::annotate(const Annotate& call) {
  const Order* order = find(orders, call.id);
  if (order == nullptr) return NotFound{};
  if (call.note.empty()) {
    notes.erase(call.id);
  } else {
    notes[call.id] = call.note;
  }
  return Described{*order, call.note};
}

baton::Loss Orders::loss(const Orders& live, baton::Version to) {
  return {to < kFirstWithNotes ? live.notes.size() : 0, "order notes"};
}

void Orders::discard(Orders& live, baton::Version to) noexcept {
  if (to < kFirstWithNotes) live.notes.clear();
}

}  // namespace web::inline BATON_BUILD
