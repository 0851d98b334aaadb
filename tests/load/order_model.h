// OrderModel: a connection's orders at the order desk, over HTTP.
//
//   POST /orders {"item":S,"quantity":N,"price":P}   201, the order: "id", "item", "quantity",
//                                                    "price", "status":"open"
//   GET /orders/ID                                   200, the order; 404 where there is none
//   GET /orders?after=ID&limit=N                     200
//   DELETE /orders/ID                                200, the order, now "status":"cancelled"
//   GET /totals                                      200
//
// Each connection reads and cancels only orders that it created. Replies may have more members than
// these: a newer version adds some.
//
// Threads: one.
// See: model.h
#pragma once

#include "load/model.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace baton::load {

/// A connection reads and cancels the newest so many of its orders.
inline constexpr std::size_t kOrdersKept = 64;

class OrderModel : public Model {
 public:
  /// `host` is the value of the Host header.
  OrderModel(std::string host, unsigned connection);

  void begin(Work work) override;
  std::string next(Random& random) override;
  Answer answer(std::string_view bytes) override;

 private:
  struct Order {
    std::string id;  // as it stands in JSON
    std::string item;
    std::uint64_t quantity = 0;
    std::string price;  // as it stands in JSON, with two decimals
    bool open = true;
  };
  enum class Kind { kCreate, kRead, kCancel, kMissing, kOther };
  struct Pending {
    Kind kind = Kind::kOther;
    std::string line;  // method and path, for reports
    Order order;
    bool is_cancel_doubtful = false;  // a cancel of it, sent before, failed: it may be open or not
  };

  std::string ask(Pending pending, const std::string& body = {});
  std::string read(const Order& order);
  std::string wrong_with(const Pending& pending, int status, std::string_view body) const;
  void settle(const Pending& pending, std::string_view body, bool right);

  const std::string host_;
  const unsigned connection_;
  Work work_ = Work::kMix;
  std::size_t cursor_ = 0;
  std::uint64_t created_ = 0;
  std::deque<Order> orders_;
  std::deque<Pending> pending_;
};

}  // namespace baton::load
