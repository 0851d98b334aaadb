#include "load/model.h"

#include "load/key_model.h"
#include "load/order_model.h"

#include <gtest/gtest.h>

#include <memory>

namespace baton::load {
namespace {

std::string http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class KeyModelTest : public testing::Test {
 protected:
  std::string next() { return model_.next(random_); }
  Answer load_and_read(const std::string& reply) {
    model_.begin(Work::kLoad);
    while (!next().empty()) model_.answer("+OK\r\n");
    model_.begin(Work::kVerify);
    next();
    return model_.answer(reply);
  }

  Random random_{1};
  Generations generations_ = Generations(10);
  KeyModel model_{&generations_, 1, 4};
};

TEST_F(KeyModelTest, LoadsExactlyTheBulkKeysItOwns) {
  model_.begin(Work::kLoad);
  for (const std::uint64_t index : {1u, 5u, 9u}) {
    EXPECT_EQ(next(), resp_command({"SET", bulk_key(index), bulk_value(index, 1)}));
    EXPECT_EQ(model_.answer("+OK\r\n").wrong, "");
  }
  EXPECT_EQ(next(), "");
}

TEST_F(KeyModelTest, ReadsBackWhatItStoredAndNothingElse) {
  const std::string value = bulk_value(1, 1);
  const Answer answer = load_and_read("$64\r\n" + value + "\r\n:1\r\n");
  EXPECT_EQ(answer.size, value.size() + 7);
  EXPECT_EQ(answer.wrong, "");
}

TEST_F(KeyModelTest, AMissingKeyIsLost) {
  const Answer answer = load_and_read("$-1\r\n");
  EXPECT_TRUE(answer.lost);
  EXPECT_NE(answer.wrong.find("bulk:000000000001"), std::string::npos);
}

TEST_F(KeyModelTest, AnOlderValueIsLost) {
  EXPECT_TRUE(load_and_read("$64\r\n" + bulk_value(1, 0) + "\r\n").lost);
}

TEST_F(KeyModelTest, AnErrorReplyIsAFailureAndNoLoss) {
  const Answer answer = load_and_read("-ERR busy\r\n");
  EXPECT_FALSE(answer.lost);
  EXPECT_NE(answer.wrong, "");
}

TEST_F(KeyModelTest, WaitsForTheRestOfAReply) {
  EXPECT_EQ(load_and_read("$64\r\n" + bulk_value(1, 1)).size, 0u);
  EXPECT_EQ(model_.answer("$-").size, 0u);
}

TEST_F(KeyModelTest, GarbageBreaksTheConnection) { EXPECT_TRUE(load_and_read("garbage").broken); }

TEST_F(KeyModelTest, AfterAWrongReplyTheKeyIsUnknownUntilItIsSetAgain) {
  load_and_read("-ERR busy\r\n");
  EXPECT_EQ(generations_[1], kGenerationUnknown);
  while (!next().empty())
    model_.answer("$64\r\n" + bulk_value(generations_[5] ? 5 : 9, 1) + "\r\n");
  model_.begin(Work::kVerify);
  next();
  EXPECT_EQ(model_.answer("$3\r\nany\r\n").wrong, "");
}

TEST(OrderModel, CreatesThenReadsTheOrderByTheIdItWasGiven) {
  OrderModel model("h", 0);
  Random random(1);
  std::string request;
  model.begin(Work::kMix);
  while (!request.starts_with("POST /orders ")) {
    request = model.next(random);
    if (request.starts_with("GET /orders/")) model.answer(http(404, "{}"));
    if (request.starts_with("GET /totals")) model.answer(http(200, "{}"));
  }
  const std::string sent = request.substr(request.find("\r\n\r\n") + 4);
  const std::string order =
      "{\"id\":7," + sent.substr(1, sent.size() - 2) + ",\"status\":\"open\",\"new\":0}";
  EXPECT_EQ(model.answer(http(201, order)).wrong, "");

  model.begin(Work::kVerify);
  EXPECT_TRUE(model.next(random).starts_with("GET /orders/7 HTTP/1.1\r\nHost: h\r\n"));
  EXPECT_EQ(model.answer(http(200, order)).wrong, "");
  model.begin(Work::kVerify);
  model.next(random);
  const Answer lost = model.answer(http(404, "{}"));
  EXPECT_TRUE(lost.lost);
  EXPECT_NE(lost.wrong.find("GET /orders/7 expects 200, got 404"), std::string::npos);
}

TEST(OrderModel, AReadBehindACancelThatFailedMayFindTheOrderOpen) {
  OrderModel model("h", 0);
  Random random(1);
  model.begin(Work::kMix);
  std::string open;
  while (open.empty()) {
    const std::string request = model.next(random);
    const std::string sent = request.substr(request.find("\r\n\r\n") + 4);
    const bool creates = request.starts_with("POST /orders ");
    if (creates) open = "{\"id\":7," + sent.substr(1, sent.size() - 2) + ",\"status\":\"open\"}";
    model.answer(creates ? http(201, open)
                         : http(request.starts_with("GET /totals") ? 200 : 404, "{}"));
  }

  // Both are on their way when the first of them fails. There is one order, so they are of the
  // same.
  while (!model.next(random).starts_with("DELETE /orders/7 ")) model.answer(http(200, open));
  std::vector<std::string> behind;
  for (int i = 0; i < 50; ++i) behind.push_back(model.next(random));
  EXPECT_NE(model.answer(http(500, "{}")).wrong, "");

  int reads = 0;
  for (const std::string& request : behind) {
    const bool is_read = request.starts_with("GET /orders/7 ");
    const Answer answer = model.answer(http(200, is_read ? open : "{}"));
    if (!is_read) continue;
    ++reads;
    EXPECT_EQ(answer.wrong, "");
    EXPECT_FALSE(answer.lost);
  }
  EXPECT_GT(reads, 0);
}

TEST(OrderModel, AnErrorOfTheServerIsAFailureOfTheRequestOnly) {
  OrderModel model("h", 0);
  Random random(1);
  model.begin(Work::kMix);
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(model.next(random), "");
    const Answer answer = model.answer(http(500, "{\"error\":\"x\"}"));
    EXPECT_NE(answer.wrong, "");
    EXPECT_FALSE(answer.lost);
    EXPECT_FALSE(answer.broken);
  }
}

TEST(OrderModel, AServerThatWillCloseBreaksTheConnection) {
  OrderModel model("h", 0);
  Random random(1);
  model.begin(Work::kMix);
  model.next(random);
  EXPECT_TRUE(
      model.answer("HTTP/1.1 500 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").broken);
}

}  // namespace
}  // namespace baton::load
