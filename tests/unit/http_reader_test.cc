#include "net/http_reader.h"

#include "term/atom.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace baton::net {
namespace {

constexpr HttpLimits kLimits{.header_bytes_max = 1024, .body_bytes_max = 4096};

struct Read {
  std::vector<std::string> requests;  // "TARGET|header=value,...|BODY"
  int refused = 0;
  bool is_idle = true;
};

/// Reads a stream cut into pieces of these sizes; what is left after the last comes whole.
Read read(std::string_view stream, const std::vector<std::size_t>& cuts = {},
          const HttpLimits& limits = kLimits) {
  Read result;
  HttpReader reader;
  auto head = std::make_unique<HttpHead>();
  std::size_t cut = 0;
  while (!stream.empty() && result.refused == 0) {
    const std::size_t size =
        cut < cuts.size() ? std::min(cuts[cut++], stream.size()) : stream.size();
    // Freed after each piece, so that a view that outlives it is found by the sanitizer.
    const auto piece = std::make_unique<std::string>(stream.substr(0, size));
    stream.remove_prefix(size);
    std::string_view input = *piece;
    while (!input.empty() && result.refused == 0) {
      std::string_view body;
      switch (reader.next(input, limits, *head, body)) {
        case HttpReader::Progress::kMore: EXPECT_TRUE(input.empty()); break;
        case HttpReader::Progress::kRefused: result.refused = reader.refused(); break;
        case HttpReader::Progress::kRequest: {
          std::string text(head->target);
          text += '|';
          for (std::size_t i = 0; i < head->header_count; ++i) {
            text += head->headers[i].name;
            text += '=';
            text += head->headers[i].value;
            text += ',';
          }
          text += '|';
          text += body;
          result.requests.push_back(text);
          break;
        }
      }
    }
  }
  result.is_idle = reader.is_idle();
  return result;
}

int refusal(std::string_view stream) { return read(stream).refused; }
std::string with_header(const std::string& line) {
  return "GET / HTTP/1.1\r\nhost: h\r\n" + line + "\r\n\r\n";
}

const char kThree[] =
    "POST /one?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    "GET /two HTTP/1.1\r\nHost:b\r\nX-Empty:\r\n\r\n"
    "PUT /three HTTP/1.1\r\nhost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;ext=\"v\"\r\nwiki\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
const std::vector<std::string> kThreeRead = {
    "/one?x=1|Host=a,Content-Length=5,|hello", "/two|Host=b,X-Empty=,|",
    "/three|host=c,Transfer-Encoding=chunked,|wiki0123456789"};

TEST(HttpReader, ReadsPipelinedRequestsOfEachFraming) {
  EXPECT_EQ(read(kThree).requests, kThreeRead);
  EXPECT_TRUE(read(kThree).is_idle);
}

TEST(HttpReader, ReadsTheSameHoweverTheStreamIsCut) {
  const std::string_view stream = kThree;
  for (std::size_t cut = 1; cut < stream.size(); ++cut)
    ASSERT_EQ(read(stream, {cut}).requests, kThreeRead) << "cut at " << cut;
  for (std::size_t first = 1; first < stream.size(); first += 7)
    for (std::size_t second = 1; second < stream.size() - first; second += 5)
      ASSERT_EQ(read(stream, {first, second}).requests, kThreeRead) << first << ' ' << second;
  EXPECT_EQ(read(stream, std::vector<std::size_t>(stream.size(), 1)).requests, kThreeRead);
}

TEST(HttpReader, RefusesTheSameHoweverTheStreamIsCut) {
  const std::string stream = std::string(kThree) + "GET / HTTP/1.1\r\nHost : x\r\n\r\n";
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    const Read result = read(stream, {cut});
    ASSERT_EQ(result.requests, kThreeRead) << "cut at " << cut;
    ASSERT_EQ(result.refused, 400) << "cut at " << cut;
  }
}

TEST(HttpReader, ReadsDamagedStreamsTheSameHoweverTheyAreCut) {
  using namespace std::string_view_literals;
  std::mt19937 random(20240607);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  constexpr std::string_view kBytes = "\r\n:; \tAaFf019,*/?%\0\x01\x7f\xff"sv;
  for (int round = 0; round < 20'000; ++round) {
    std::string stream = kThree;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(stream.size());
      switch (below(3)) {
        case 0: stream[at] = kBytes[below(kBytes.size())]; break;
        case 1: stream.erase(at, 1 + below(6)); break;
        default: stream.insert(at, stream.substr(below(stream.size()), below(12))); break;
      }
    }
    const Read whole = read(stream);
    const Read cut = read(stream, {1 + below(stream.size()), 1 + below(stream.size())});
    ASSERT_EQ(whole.requests, cut.requests) << stream;
    ASSERT_EQ(whole.refused, cut.refused) << stream;
  }
}

TEST(HttpReader, RefusesWhatCouldBeUnderstoodInTwoWays) {
  // Both ways to tell the length, or one of them twice.
  EXPECT_EQ(refusal(with_header("content-length: 1\r\ntransfer-encoding: chunked")), 400);
  EXPECT_EQ(refusal(with_header("transfer-encoding: chunked\r\ncontent-length: 1")), 400);
  EXPECT_EQ(refusal(with_header("content-length: 1\r\ncontent-length: 1")), 400);
  EXPECT_EQ(refusal(with_header("content-length: 1\r\nContent-Length: 2")), 400);
  EXPECT_EQ(refusal(with_header("content-length: 1, 1")), 400);
  EXPECT_EQ(refusal(with_header("transfer-encoding: chunked\r\ntransfer-encoding: chunked")), 400);
  // Lengths that one reader takes for another number.
  for (const char* length : {"+1", "-1", "0x1", "1 1", "", "1a", "\"1\""})
    EXPECT_EQ(refusal(with_header(std::string("content-length: ") + length)), 400) << length;
  EXPECT_EQ(refusal(with_header("content-length: 99999999999999999999")), 413);
  // Codings that hide the chunks.
  for (const char* coding : {"gzip", "identity", "chunked, gzip", "gzip, chunked", "xchunked"})
    EXPECT_EQ(refusal(with_header(std::string("transfer-encoding: ") + coding)), 501) << coding;
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n"), 400);
  // Lines and names.
  EXPECT_EQ(refusal(with_header("x : 1")), 400);
  EXPECT_EQ(refusal(with_header("x: 1\r\n folded: 2")), 400);
  EXPECT_EQ(refusal(with_header("x: 1\r\n\tfolded")), 400);
  EXPECT_EQ(refusal(with_header(": 1")), 400);
  EXPECT_EQ(refusal(with_header("no colon")), 400);
  EXPECT_EQ(refusal(with_header("x: 1\ny: 2")), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\nhost: h\n\n"), 400);
  EXPECT_EQ(refusal(with_header("x: a\rb")), 400);
  EXPECT_EQ(refusal(with_header(std::string("x: a\0b", 6))), 400);
  EXPECT_EQ(refusal(with_header("x: a\x7f")), 400);
  // Hosts.
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal(with_header("Host: other")), 400);
}

TEST(HttpReader, RefusesRequestLinesThatAreNone) {
  const auto line = [](const std::string& text) { return refusal(text + "\r\nhost: h\r\n\r\n"); };
  for (const char* bad :
       {"GET", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1",
        "GET / HTTP/1", "GET / HTTP/11", "GET /\t HTTP/1.1", "GET x HTTP/1.1", "GET * HTTP/1.1",
        "GET ftp://h/ HTTP/1.1", "G\x01T / HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1", "/ HTTP/1.1"})
    EXPECT_EQ(line(bad), 400) << bad;
  EXPECT_EQ(line("GET / HTTP/2.0"), 505);
  EXPECT_EQ(line("GET / HTTP/0.9"), 505);
  for (const char* unknown :
       {"CONNECT h:1 HTTP/1.1", "TRACE / HTTP/1.1", "BREW / HTTP/1.1", "get / HTTP/1.1"})
    EXPECT_EQ(line(unknown), 501) << unknown;
}

TEST(HttpReader, TakesThePathOutOfAWholeUrl) {
  const auto target = [](const std::string& text) {
    const Read result = read("GET " + text + " HTTP/1.1\r\nhost: h\r\n\r\n");
    return result.requests.empty() ? "refused"
                                   : result.requests[0].substr(0, result.requests[0].find('|'));
  };
  EXPECT_EQ(target("http://h:80/a?b"), "/a?b");
  EXPECT_EQ(target("HTTP://h"), "/");
  EXPECT_EQ(target("http://h?b"), "refused");
  EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n").requests.size(), 1u);
}

TEST(HttpReader, RefusesChunksThatAreNone) {
  const auto chunks = [](const std::string& text) {
    return refusal("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n" + text);
  };
  EXPECT_EQ(chunks("0\r\n\r\n"), 0);
  for (const char* bad : {"\r\n", "g\r\n", "1 \r\n", "-1\r\n", "0x1\r\n", "1\nx", "1\r\nxy\r\n",
                          "1\r\nx\n", "1;\x01\r\n"})
    EXPECT_EQ(chunks(bad), 400) << bad;
  EXPECT_EQ(chunks("1;" + std::string(kHttpChunkLineBytesMax, 'e') + "\r\n"), 400);
  EXPECT_EQ(chunks("fffffffffffffffff\r\n"), 413);
  EXPECT_EQ(chunks("1000\r\n" + std::string(4096, 'x') + "\r\n1\r\n"), 413);
  EXPECT_EQ(chunks("0\r\nt: " + std::string(2000, 't') + "\r\n\r\n"), 431);
}

TEST(HttpReader, KeepsToItsLimits) {
  EXPECT_EQ(refusal("GET /" + std::string(1024, 'a')), 414);
  EXPECT_EQ(refusal(with_header("x: " + std::string(1024, 'a'))), 431);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nx: " + std::string(1024, 'a')), 431);
  std::string many = "GET / HTTP/1.1\r\nhost: h\r\n";
  for (std::size_t i = 1; i < kHttpHeadersMax; ++i) many += "x: y\r\n";
  const HttpLimits roomy{.header_bytes_max = 65536, .body_bytes_max = 4096};
  EXPECT_EQ(read(many + "\r\n", {}, roomy).requests.size(), 1u);
  EXPECT_EQ(read(many + "x: y\r\n\r\n", {}, roomy).refused, 431);
  EXPECT_EQ(refusal(with_header("content-length: 4096")), 0);
  EXPECT_EQ(refusal(with_header("content-length: 4097")), 413);
  EXPECT_EQ(refusal("\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n"), 0);
  EXPECT_EQ(refusal("\r\n\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n"), 400);
}

TEST(HttpReader, DoesNotWaitForTheEndOfWhatIsNoHttp) {
  EXPECT_EQ(refusal("\x16\x03\x01\x02"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\n"), 400);
}

TEST(HttpReader, SaysWhetherTheConnectionIsKept) {
  const auto keeps = [](const std::string& text) {
    HttpHead head;
    EXPECT_EQ(read_head(text + "\r\n\r\n", head), 0) << text;
    return head.keeps_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nhost: h"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nhost: h\r\nConnection: Close"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nhost: h\r\nConnection: keep-alive, close"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive"));
}

TEST(HttpReader, AsksToContinueOnceAndOnlyIfTheBodyIsNotThere) {
  const std::string head =
      "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nexpect: 100-Continue\r\n\r\n";
  const auto asks = [&](const std::string& text) {
    HttpReader reader;
    HttpHead read_into;
    std::string_view input = text, body;
    (void)reader.next(input, kLimits, read_into, body);
    const bool first = reader.take_continue();
    EXPECT_FALSE(reader.take_continue());
    return first;
  };
  EXPECT_TRUE(asks(head));
  EXPECT_FALSE(asks(head + "x"));
  EXPECT_FALSE(asks(head + "xy"));
  EXPECT_EQ(refusal(with_header("expect: a-miracle")), 417);
}

}  // namespace
}  // namespace baton::net
