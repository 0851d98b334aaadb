// What web can do from 1.1.0 on.
#include "routes.h"

#include <gtest/gtest.h>

namespace web {
namespace {

using namespace baton::literals;

TEST(WebNotes, AnOrderMayComeWithANote) {
  const Question question =
      route("POST"_atom, "/orders", R"({"item":"tea","quantity":2,"price":12.5,"note":"green"})");
  const auto& order = std::get<NewOrder>(question);
  EXPECT_EQ(order.note, "green");
  Orders desk;
  const Answer made = answer(desk.create(order.create), order.note);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.body,
            "{\"id\":1,\"item\":\"tea\",\"quantity\":2,\"price\":12.50,\"status\":\"open\","
            "\"note\":\"green\"}\n");
  EXPECT_EQ(answer(Create::Reply(Full{}), "").status, 507);
}

TEST(WebNotes, ANoteIsGivenChangedAndTakenAway) {
  Orders desk;
  desk.create({"tea", 1, 0});
  const Question question = route("PUT"_atom, "/orders/1/note", R"({"note":"black"})");
  desk.annotate(std::get<Annotate>(question));
  EXPECT_EQ(std::get<Described>(desk.describe({1})).note, "black");
  EXPECT_EQ(answer(desk.describe({1})).body.find("\"note\":\"black\"}") != std::string::npos, true);
  desk.annotate({1, ""});
  EXPECT_EQ(answer(desk.describe({1})).body.find("note"), std::string::npos);
  EXPECT_TRUE(desk.notes.empty());
  EXPECT_TRUE(std::holds_alternative<NotFound>(desk.annotate({2, "x"})));
  EXPECT_EQ(answer(desk.describe({2})).status, 404);
}

TEST(WebNotes, ABadNoteIsToldWhatIsWrong) {
  const auto error = [](std::string_view target, std::string_view body) {
    return std::get<Answer>(route("PUT"_atom, target, body)).status;
  };
  EXPECT_EQ(error("/orders/1/note", ""), 400);
  EXPECT_EQ(error("/orders/1/note", "{}"), 400);
  EXPECT_EQ(error("/orders/1/note", R"({"note":1})"), 400);
  EXPECT_EQ(error("/orders/1/note", R"({"note":"x","item":"y"})"), 400);
  EXPECT_EQ(error("/orders/1/note", "{\"note\":\"" + std::string(kNoteBytesMax + 1, 'x') + "\"}"),
            400);
  EXPECT_EQ(error("/orders/x/note", R"({"note":"x"})"), 404);
  EXPECT_EQ(error("/orders/1/notes", R"({"note":"x"})"), 404);
  EXPECT_EQ(std::get<Answer>(route("GET"_atom, "/orders/1/note", "")).allow, "PUT");
}

TEST(WebNotes, GoingDownCountsTheNotes) {
  Orders desk;
  desk.create({"tea", 1, 0});
  desk.annotate({1, "x"});
  EXPECT_EQ(Orders::loss(desk, "1.0.0").count, 1u);
  EXPECT_EQ(Orders::loss(desk, "1.1.0").count, 0u);
  Orders::discard(desk, "1.0.0");
  EXPECT_EQ(Orders::loss(desk, "1.0.0").count, 0u);
}

}  // namespace
}  // namespace web
