#include "routes.h"

#include "json.h"

#include <charconv>
#include <optional>

namespace web::inline BATON_BUILD {
namespace {

using namespace baton::literals;

bool is_reading(baton::Atom method) { return method == "GET"_atom || method == "HEAD"_atom; }

// Decimal digits only, and no more than fit.
std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text[0] == '-') return std::nullopt;
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

// A price such as 12, 12.5 or 12.50, in cents.
std::optional<std::int64_t> parse_price(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string decimals(point == std::string_view::npos ? "" : text.substr(point + 1));
  const auto whole = parse_number(text.substr(0, point));
  while (decimals.size() < 2) decimals += '0';
  const auto fraction = parse_number(decimals);
  if (!whole || !fraction || decimals.size() > 2 || *whole > kCentsMax / 100) return std::nullopt;
  const std::int64_t cents = *whole * 100 + *fraction;
  return cents <= kCentsMax ? std::optional(cents) : std::nullopt;
}

void append_price(std::string& out, std::int64_t cents) {
  append_json(out, cents / 100);
  out += '.';
  out += static_cast<char>('0' + cents / 10 % 10);
  out += static_cast<char>('0' + cents % 10);
}

void append_order(std::string& out, const Order& order, std::string_view note = {}) {
  out.append("{\"id\":");
  append_json(out, order.id);
  out.append(",\"item\":");
  append_json(out, order.item);
  out.append(",\"quantity\":");
  append_json(out, order.quantity);
  out.append(",\"price\":");
  append_price(out, order.cents);
  out.append(",\"status\":");
  out.append(order.status == Status::open ? "\"open\"" : "\"cancelled\"");
  if (!note.empty()) {
    out.append(",\"note\":");
    append_json(out, note);
  }
  out += '}';
}

Answer method_refusal(std::string_view allow) {
  Answer made = refusal(405, "use " + std::string(allow));
  made.allow = allow;
  return made;
}

// ---- Bodies and queries ------------------------------------------------------------------------

// What is wrong with it, or nothing.
std::string take_note(const JsonMember& member, std::string& note) {
  note = member.text;
  const bool is_right =
      member.kind == JsonMember::Kind::kString && member.text.size() <= kNoteBytesMax;
  return is_right ? "" : "note: expected a string of at most 1000 bytes";
}

// Reads one member into the order; what is wrong with it, or nothing.
std::string take_member(const JsonMember& member, NewOrder& made) {
  Create& order = made.create;
  if (member.name == "note") return take_note(member, made.note);
  if (member.name == "item") {
    order.item = member.text;
    const bool is_right = member.kind == JsonMember::Kind::kString && !member.text.empty() &&
                          member.text.size() <= kItemBytesMax;
    return is_right ? "" : "item: expected a string of 1 to 200 bytes";
  }
  const bool is_number = member.kind == JsonMember::Kind::kNumber;
  if (member.name == "quantity") {
    const auto quantity = is_number ? parse_number(member.text) : std::nullopt;
    order.quantity = quantity.value_or(0);
    const bool is_right = order.quantity >= 1 && order.quantity <= kQuantityMax;
    return is_right ? "" : "quantity: expected an integer from 1 to 10000";
  }
  if (member.name == "price") {
    const auto cents = is_number ? parse_price(member.text) : std::nullopt;
    order.cents = cents.value_or(0);
    return cents ? "" : "price: expected a number from 0 to 1000000 with at most two decimals";
  }
  return "no member \"" + member.name + "\" is known: leave it out";
}

Question create(std::string_view body) {
  std::string error;
  const auto object = JsonObject::parse(body, error);
  if (!object) return refusal(400, "the body is not as it should be: " + error);
  NewOrder order;
  for (const JsonMember& member : object->members()) {
    error = take_member(member, order);
    if (!error.empty()) return refusal(400, error);
  }
  for (const std::string_view name : {"item", "quantity"}) {
    if (object->find(name) == nullptr) {
      return refusal(400,
                     std::string(name) + " is missing: send {\"item\":\"tea\",\"quantity\":2}");
    }
  }
  return order;
}

Question list(std::string_view query) {
  List call;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t sign = part.find('=');
    const std::string_view name = part.substr(0, sign);
    const bool has_value = sign != std::string_view::npos;
    const std::int64_t number = has_value ? parse_number(part.substr(sign + 1)).value_or(-1) : -1;
    if (name == "after" && number >= 0) {
      call.after = number;
    } else if (name == "limit" && number >= 1 && number <= kPageOrdersMax) {
      call.limit = number;
    } else {
      return refusal(400, "the query is not as it should be: use after=ID and limit=1 to 1000");
    }
  }
  return call;
}

Question annotate(std::int64_t id, std::string_view body) {
  std::string error;
  const auto object = JsonObject::parse(body, error);
  if (!object) return refusal(400, "the body is not as it should be: " + error);
  const JsonMember* member = object->find("note");
  if (member == nullptr || object->members().size() != 1) {
    return refusal(400, "send {\"note\":\"...\"} and nothing else");
  }
  Annotate call{id, ""};
  error = take_note(*member, call.note);
  if (!error.empty()) return refusal(400, error);
  return call;
}

// `name` is what stands behind /orders/ in the path.
Question order(baton::Atom method, std::string_view name, std::string_view body) {
  const std::size_t slash = std::min(name.find('/'), name.size());
  const auto id = parse_number(name.substr(0, slash));
  if (!id) return refusal(404, "no such order");
  if (slash < name.size()) {
    if (name.substr(slash) != "/note") return refusal(404, "an order has no such part: use /note");
    return method == "PUT"_atom ? annotate(*id, body) : method_refusal("PUT");
  }
  if (is_reading(method)) return Describe{*id};
  if (method == "DELETE"_atom) return Cancel{*id};
  return method_refusal("GET, HEAD, DELETE");
}

}  // namespace

Question route(baton::Atom method, std::string_view target, std::string_view body) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  constexpr std::string_view kOrder = "/orders/";
  if (path.substr(0, kOrder.size()) == kOrder)
    return order(method, path.substr(kOrder.size()), body);
  if (path == "/orders") {
    if (method == "POST"_atom) return create(body);
    return is_reading(method) ? list(query) : method_refusal("GET, HEAD, POST");
  }
  if (path == "/totals" || path == "/health") {
    if (!is_reading(method)) return method_refusal("GET, HEAD");
    if (path == "/totals") return Totals{};
    return Answer{200, "{\"status\":\"ok\"}\n"};
  }
  return refusal(
      404, "no such path: there are /orders, /orders/ID, /orders/ID/note, /totals and /health");
}

Answer refusal(int status, std::string_view error) {
  Answer made{status, "{\"error\":"};
  append_json(made.body, error);
  made.body.append("}\n");
  return made;
}

Answer answer(const Create::Reply& reply, std::string_view note) {
  const auto* order = std::get_if<Order>(&reply);
  if (order == nullptr) return refusal(507, "the order book is full");
  Answer made{201, ""};
  append_order(made.body, *order, note);
  made.body += '\n';
  made.location = "/orders/" + std::to_string(order->id);
  return made;
}

Answer answer(const Describe::Reply& reply) {
  const auto* described = std::get_if<Described>(&reply);
  if (described == nullptr) return refusal(404, "no such order");
  Answer made;
  append_order(made.body, described->order, described->note);
  made.body += '\n';
  return made;
}

Answer answer(const Page& page) {
  Answer made{200, "{\"orders\":["};
  for (const Order& order : page.orders) {
    if (&order != page.orders.data()) made.body += ',';
    append_order(made.body, order);
  }
  made.body.append("],\"next\":");
  if (page.is_last || page.orders.empty()) {
    made.body.append("null");
  } else {
    append_json(made.body, page.orders.back().id);
  }
  made.body.append("}\n");
  return made;
}

Answer answer(const Sums& sums) {
  Answer made{200, "{\"orders\":"};
  append_json(made.body, sums.orders);
  made.body.append(",\"open\":");
  append_json(made.body, sums.open);
  made.body.append(",\"quantity\":");
  append_json(made.body, sums.quantity);
  made.body.append(",\"value\":");
  append_price(made.body, sums.cents);
  made.body.append("}\n");
  return made;
}

}  // namespace web::inline BATON_BUILD
