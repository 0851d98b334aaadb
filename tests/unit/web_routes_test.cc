// The requests that every version of web answers.
#include "routes.h"

#include <gtest/gtest.h>

namespace web {
namespace {

using namespace baton::literals;

// What a request is answered without the desk being asked.
Answer refused(baton::Atom method, std::string_view target, std::string_view body = "") {
  const Question question = route(method, target, body);
  const auto* ready = std::get_if<Answer>(&question);
  return ready != nullptr ? *ready : Answer{0, "the desk is asked"};
}

std::string error_of_order(std::string_view body) {
  const Answer answer = refused("POST"_atom, "/orders", body);
  return std::to_string(answer.status) + " " + answer.body;
}

template <class Call>
bool asks(baton::Atom method, std::string_view target, std::string_view body = "") {
  return std::holds_alternative<Call>(route(method, target, body));
}

TEST(WebRoutes, EachPathHasItsMethods) {
  EXPECT_EQ(refused("GET"_atom, "/health").body, "{\"status\":\"ok\"}\n");
  EXPECT_TRUE(asks<Totals>("HEAD"_atom, "/totals"));
  EXPECT_TRUE(asks<List>("GET"_atom, "/orders"));
  EXPECT_TRUE(asks<Cancel>("DELETE"_atom, "/orders/7"));
  EXPECT_EQ(refused("POST"_atom, "/health").allow, "GET, HEAD");
  EXPECT_EQ(refused("DELETE"_atom, "/orders").allow, "GET, HEAD, POST");
  EXPECT_EQ(refused("PUT"_atom, "/orders/7").allow, "GET, HEAD, DELETE");
  EXPECT_EQ(refused("PUT"_atom, "/totals").status, 405);
}

TEST(WebRoutes, OtherPathsAreNotFound) {
  for (const char* target :
       {"/", "", "*", "/order", "/orders/", "/orders/x", "/orders/-1", "/orders/1x", "/orders/1/x",
        "/orders/99999999999999999999", "/totals/", "/Health"}) {
    EXPECT_EQ(refused("GET"_atom, target).status, 404) << target;
  }
}

TEST(WebRoutes, AListIsAskedForByItsQuery) {
  const Question question = route("GET"_atom, "/orders?after=20&limit=5", "");
  EXPECT_EQ(std::get<List>(question).after, 20);
  EXPECT_EQ(std::get<List>(question).limit, 5);
  for (const char* query : {"limit=0", "limit=1001", "limit=", "after=-1", "after", "x=1", "&"}) {
    EXPECT_EQ(refused("GET"_atom, std::string("/orders?") + query).status, 400) << query;
  }
}

TEST(WebRoutes, ABadOrderIsToldWhatIsWrong) {
  EXPECT_EQ(
      error_of_order("{\"item\":"),
      "400 {\"error\":\"the body is not as it should be: byte 9: expected a string, a number, "
      "true, false or null\"}\n");
  EXPECT_EQ(error_of_order("{\"item\":\"tea\"}"),
            "400 {\"error\":\"quantity is missing: send "
            "{\\\"item\\\":\\\"tea\\\",\\\"quantity\\\":2}\"}\n");
  EXPECT_EQ(error_of_order(R"({"item":"tea","quantity":1,"colour":"red"})"),
            "400 {\"error\":\"no member \\\"colour\\\" is known: leave it out\"}\n");
  for (const char* item : {"1", "\"\"", "null"}) {
    EXPECT_EQ(error_of_order(std::string(R"({"quantity":1,"item":)") + item + "}"),
              "400 {\"error\":\"item: expected a string of 1 to 200 bytes\"}\n");
  }
  for (const char* quantity : {"0", "-1", "10001", "1.0", "1e2", "\"1\"", "99999999999999999999"}) {
    EXPECT_EQ(error_of_order(std::string(R"({"item":"tea","quantity":)") + quantity + "}"),
              "400 {\"error\":\"quantity: expected an integer from 1 to 10000\"}\n");
  }
  for (const char* price : {"-1", "1.005", "1000000.01", "1e2", "\"1\"", "null"}) {
    EXPECT_EQ(error_of_order(std::string(R"({"item":"tea","quantity":1,"price":)") + price + "}"),
              "400 {\"error\":\"price: expected a number from 0 to 1000000 with at most two "
              "decimals\"}\n");
  }
}

TEST(WebRoutes, AnItemMayBeAsLongAsItsLimit) {
  const std::string longest(kItemBytesMax, 'x');
  EXPECT_EQ(error_of_order("{\"item\":\"" + longest + "\",\"quantity\":1}"), "0 the desk is asked");
  EXPECT_EQ(error_of_order("{\"item\":\"" + longest + "x\",\"quantity\":1}").substr(0, 4), "400 ");
}

TEST(WebRoutes, TotalsAndListsAreJson) {
  EXPECT_EQ(answer(Sums{3, 2, 7, 1205}).body,
            "{\"orders\":3,\"open\":2,\"quantity\":7,\"value\":12.05}\n");
  EXPECT_EQ(answer(Page{{}, true}).body, "{\"orders\":[],\"next\":null}\n");
  const Page page{{{1, "a \"b\"", 2, 1250, Status::open}, {2, "c", 1, 5, Status::cancelled}},
                  false};
  EXPECT_EQ(
      answer(page).body,
      "{\"orders\":["
      "{\"id\":1,\"item\":\"a \\\"b\\\"\",\"quantity\":2,\"price\":12.50,\"status\":\"open\"},"
      "{\"id\":2,\"item\":\"c\",\"quantity\":1,\"price\":0.05,\"status\":\"cancelled\"}"
      "],\"next\":2}\n");
}

}  // namespace
}  // namespace web
