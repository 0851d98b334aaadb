// What web 1.0.0 does otherwise than its successors.
#include "routes.h"

#include <gtest/gtest.h>

namespace web {
namespace {

using namespace baton::literals;

TEST(WebRoutes, AnOrderIsReadFromItsBodyAndAnsweredWithItsPlace) {
  const Question question =
      route("POST"_atom, "/orders", R"({"item":"tea","quantity":2,"price":12.5})");
  const auto& create = std::get<Create>(question);
  EXPECT_EQ(create.item, "tea");
  EXPECT_EQ(create.quantity, 2);
  EXPECT_EQ(create.cents, 1250);
  Orders desk;
  const Answer made = answer(desk.create(create));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.location, "/orders/1");
  EXPECT_EQ(made.body,
            "{\"id\":1,\"item\":\"tea\",\"quantity\":2,\"price\":12.50,\"status\":\"open\"}\n");
  EXPECT_EQ(answer(Create::Reply(Full{})).status, 507);
}

TEST(WebRoutes, AnOrderIsReadByItsId) {
  EXPECT_EQ(std::get<Read>(route("GET"_atom, "/orders/7", "")).id, 7);
  EXPECT_EQ(answer(Read::Reply(NotFound{})).status, 404);
  EXPECT_EQ(answer(Read::Reply(Order{7, "tea", 1, 0, Status::cancelled})).status, 200);
}

}  // namespace
}  // namespace web
