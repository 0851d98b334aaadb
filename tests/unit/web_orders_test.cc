// The order desk, as every version of web has it.
#include "orders.h"

#include <gtest/gtest.h>

namespace web {
namespace {

Order made(Orders& desk, const std::string& item, std::int64_t quantity, std::int64_t cents) {
  return std::get<Order>(desk.create({item, quantity, cents}));
}

TEST(WebOrders, AnOrderIsFoundByItsId) {
  Orders desk;
  made(desk, "tea", 2, 250);
  const Order order = made(desk, "milk", 1, 99);
  EXPECT_EQ(order.id, 2);
  EXPECT_EQ(std::get<Order>(desk.read({2})), order);
  for (const std::int64_t id :
       {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{3}, INT64_MAX}) {
    EXPECT_TRUE(std::holds_alternative<NotFound>(desk.read({id}))) << id;
    EXPECT_TRUE(std::holds_alternative<NotFound>(desk.cancel({id}))) << id;
  }
}

TEST(WebOrders, TotalsCountOpenOrdersOnly) {
  Orders desk;
  made(desk, "tea", 2, 250);
  made(desk, "milk", 3, 100);
  EXPECT_EQ(std::get<Order>(desk.cancel({1})).status, Status::cancelled);
  EXPECT_EQ(std::get<Order>(desk.cancel({1})).status, Status::cancelled);
  const Sums sums = desk.totals();
  EXPECT_EQ(sums.orders, 2);
  EXPECT_EQ(sums.open, 1);
  EXPECT_EQ(sums.quantity, 3);
  EXPECT_EQ(sums.cents, 300);
}

TEST(WebOrders, ListsArePagesInOrder) {
  Orders desk;
  for (int i = 0; i < 25; ++i) made(desk, "tea", 1, 0);
  const Page first = desk.list({0, 10});
  ASSERT_EQ(first.orders.size(), 10u);
  EXPECT_EQ(first.orders.back().id, 10);
  EXPECT_FALSE(first.is_last);
  const Page last = desk.list({20, 10});
  EXPECT_EQ(last.orders.size(), 5u);
  EXPECT_TRUE(last.is_last);
  EXPECT_TRUE(desk.list({INT64_MAX, 10}).orders.empty());
  EXPECT_EQ(desk.list({INT64_MIN, 10}).orders.front().id, 1);
  EXPECT_EQ(desk.list({0, INT64_MAX}).orders.size(), 25u);
}

TEST(WebOrders, AFullBookTakesNoMore) {
  Orders desk;
  desk.orders.resize(kOrdersMax);
  EXPECT_TRUE(std::holds_alternative<Full>(desk.create({"tea", 1, 0})));
  EXPECT_EQ(desk.totals().open, 0);
}

}  // namespace
}  // namespace web
