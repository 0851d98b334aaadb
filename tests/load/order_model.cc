#include "load/order_model.h"

#include "base/check.h"
#include "load/http_reply.h"
#include "load/json_field.h"

#include <algorithm>

namespace baton::load {

OrderModel::OrderModel(std::string host, unsigned connection)
    : host_(std::move(host)), connection_(connection) {}

void OrderModel::begin(Work work) {
  BATON_CHECK(pending_.empty());
  work_ = work;
  cursor_ = 0;
}

std::string OrderModel::ask(Pending pending, const std::string& body) {
  std::string bytes = pending.line + " HTTP/1.1\r\nHost: " + host_ + "\r\n";
  if (!body.empty()) {
    bytes +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  bytes += "\r\n" + body;
  pending_.push_back(std::move(pending));
  return bytes;
}

std::string OrderModel::read(const Order& order) {
  return ask({Kind::kRead, "GET /orders/" + order.id, order});
}

std::string OrderModel::next(Random& random) {
  if (work_ == Work::kLoad) return {};
  if (work_ == Work::kVerify) {
    return cursor_ < orders_.size() ? read(orders_[cursor_++]) : std::string();
  }
  const auto dice = random() % 100;
  if (dice < 2) return ask({Kind::kOther, "GET /totals", {}});
  if (dice < 4 && !orders_.empty()) {
    return ask({Kind::kOther, "GET /orders?after=" + orders_.front().id + "&limit=3", {}});
  }
  if (dice < 6) return ask({Kind::kMissing, "GET /orders/999999999999", {}});
  if (orders_.empty() || dice < 25) {
    Order order;
    order.item = "item " + std::to_string(connection_) + "." + std::to_string(++created_);
    order.quantity = 1 + random() % 1000;
    order.price = std::to_string(1 + random() % 1000) + "." + std::to_string(10 + random() % 90);
    const std::string body = "{\"item\":\"" + order.item +
                             "\",\"quantity\":" + std::to_string(order.quantity) +
                             ",\"price\":" + order.price + "}";
    return ask({Kind::kCreate, "POST /orders", order}, body);
  }
  Order& order = orders_[random() % orders_.size()];
  if (dice < 35 && order.open) {
    order.open = false;
    return ask({Kind::kCancel, "DELETE /orders/" + order.id, order});
  }
  return read(order);
}

Answer OrderModel::answer(std::string_view bytes) {
  BATON_CHECK(!pending_.empty());
  const HttpReply reply = parse_http_reply(bytes);
  Answer answer;
  if (!reply.malformed && reply.size == 0) return answer;
  const Pending oldest = std::move(pending_.front());
  pending_.pop_front();
  answer.broken = reply.malformed || reply.closes;
  answer.size = reply.malformed ? bytes.size() : reply.size;
  if (reply.malformed) {
    answer.wrong = oldest.line + " expects an HTTP reply, got " + quoted(bytes);
  } else {
    answer.wrong = wrong_with(oldest, reply.status, reply.body);
    answer.lost = !answer.wrong.empty() && oldest.kind == Kind::kRead && reply.status < 500;
    if (answer.wrong.empty() && reply.closes) {
      answer.wrong = oldest.line + " expects the connection to stay, got Connection: close";
    }
  }
  settle(oldest, reply.body, answer.wrong.empty());
  return answer;
}

// Empty where status and body are as they should be, else what differs.
std::string OrderModel::wrong_with(const Pending& pending, int status,
                                   std::string_view body) const {
  int expected = 200;
  if (pending.kind == Kind::kCreate) expected = 201;
  if (pending.kind == Kind::kMissing) expected = 404;
  const auto differs = [&](const std::string& what) {
    return pending.line + " expects " + what + ", got " + std::to_string(status) + " " +
           quoted(body);
  };
  if (status != expected) return differs(std::to_string(expected));
  if (pending.kind == Kind::kMissing || pending.kind == Kind::kOther) return {};

  const Order& order = pending.order;
  const auto id = json_field(body, "id");
  if (!id || id->empty() || (pending.kind != Kind::kCreate && *id != order.id)) {
    return differs("id " + order.id);
  }
  const std::pair<const char*, std::string> members[] = {
      {"item", json_string(order.item)},
      {"quantity", std::to_string(order.quantity)},
      {"price", order.price},
      {"status", order.open ? "\"open\"" : "\"cancelled\""}};
  for (const auto& [name, value] : members) {
    if (pending.is_cancel_doubtful && name == std::string_view("status")) continue;
    if (json_field(body, name) != value) return differs(std::string(name) + " " + value);
  }
  return {};
}

void OrderModel::settle(const Pending& pending, std::string_view body, bool right) {
  if (right && pending.kind == Kind::kCreate) {
    orders_.push_back(pending.order);
    orders_.back().id = *json_field(body, "id");
    // Those with requests on their way are named in them by value, so that the oldest may go.
    if (orders_.size() > kOrdersKept) orders_.pop_front();
  } else if (!right && (pending.kind == Kind::kCancel || pending.kind == Kind::kRead)) {
    std::erase_if(orders_, [&](const Order& order) { return order.id == pending.order.id; });
    // Reads of it that are on their way already were asked as if the cancel had been done.
    for (Pending& later : pending_)
      if (later.order.id == pending.order.id) later.is_cancel_doubtful = true;
  }
}

}  // namespace baton::load
