#include "load/key_model.h"

#include "base/check.h"
#include "load/resp_frame.h"

#include <algorithm>
#include <cstdio>

namespace baton::load {
namespace {

std::string bulk_string(const std::optional<std::string>& value) {
  if (!value) return "$-1\r\n";
  return "$" + std::to_string(value->size()) + "\r\n" + *value + "\r\n";
}

std::string number(std::size_t n) { return ":" + std::to_string(n) + "\r\n"; }

unsigned below(unsigned limit, Random& random) { return static_cast<unsigned>(random() % limit); }

// A different one each time for the same key; now and then longer than a read of the socket.
std::string own_value(std::uint64_t write, Random& random) {
  const std::size_t size = below(200, random) == 0 ? 100000 : below(100, random);
  std::string value = "write " + std::to_string(write) + " ";
  while (value.size() < size) value += static_cast<char>(random() & 0xff);
  return value;
}

}  // namespace

std::string bulk_key(std::uint64_t index) {
  char name[32];
  std::snprintf(name, sizeof name, "bulk:%012llu", static_cast<unsigned long long>(index));
  return name;
}

std::string bulk_value(std::uint64_t index, std::uint8_t generation) {
  std::string value = std::to_string(index) + ":" + std::to_string(generation) + ":";
  std::uint64_t mix = index * 0x9e3779b97f4a7c15u + generation;
  while (value.size() < kBulkValueSize) {
    mix = mix * 6364136223846793005u + 1442695040888963407u;
    value += static_cast<char>('a' + (mix >> 59) % 26);
  }
  return value;
}

std::string resp_command(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n";
    bytes += word;
    bytes += "\r\n";
  }
  return bytes;
}

KeyModel::KeyModel(Generations* generations, unsigned connection, unsigned connections)
    : generations_(generations),
      connection_(connection),
      connections_(connections),
      own_(kOwnKeys) {
  BATON_CHECK(connection < connections);
}

void KeyModel::begin(Work work) {
  BATON_CHECK(pending_.empty());
  work_ = work;
  cursor_ = connection_;
  own_cursor_ = 0;
}

std::string KeyModel::next(Random& random) {
  switch (work_) {
    case Work::kLoad: return load_next();
    case Work::kVerify: return verify_next();
    case Work::kMix: return mix_next(random);
  }
  return {};
}

std::string KeyModel::ask(Pending pending) {
  pending_.push_back(std::move(pending));
  return pending_.back().request;
}

std::string KeyModel::own_name(unsigned key) const {
  return "own:" + std::to_string(connection_) + ":" + std::to_string(key);
}

std::string KeyModel::load_next() {
  if (cursor_ >= generations_->size()) return {};
  const std::uint64_t index = cursor_;
  cursor_ += connections_;
  return set_bulk(index);
}

std::string KeyModel::verify_next() {
  while (cursor_ < generations_->size()) {
    const std::uint64_t index = cursor_;
    cursor_ += connections_;
    if ((*generations_)[index] != 0) return get_bulk(index);
  }
  while (own_cursor_ < kOwnKeys) {
    const unsigned key = own_cursor_++;
    if (own_[key].known) return get_own(key);
  }
  return {};
}

std::string KeyModel::set_bulk(std::uint64_t index) {
  std::uint8_t& generation = (*generations_)[index];
  generation = static_cast<std::uint8_t>(generation >= kGenerationUnknown - 1 ? 1 : generation + 1);
  return ask({.request = resp_command({"SET", bulk_key(index), bulk_value(index, generation)}),
              .expected = "+OK\r\n",
              .stored = false,
              .bulk = index,
              .own = {}});
}

std::string KeyModel::get_bulk(std::uint64_t index) {
  const std::uint8_t generation = (*generations_)[index];
  const bool known = generation != kGenerationUnknown;
  std::string expected = known ? bulk_string(bulk_value(index, generation)) : std::string();
  return ask({.request = resp_command({"GET", bulk_key(index)}),
              .expected = std::move(expected),
              .stored = known,
              .bulk = index,
              .own = {}});
}

std::string KeyModel::set_own(unsigned key, Random& random) {
  own_[key] = {true, own_value(++writes_, random)};
  return ask({.request = resp_command({"SET", own_name(key), *own_[key].value}),
              .expected = "+OK\r\n",
              .stored = false,
              .bulk = {},
              .own = {key}});
}

std::string KeyModel::get_own(unsigned key) {
  return ask({.request = resp_command({"GET", own_name(key)}),
              .expected = bulk_string(own_[key].value),
              .stored = own_[key].value.has_value(),
              .bulk = {},
              .own = {key}});
}

std::string KeyModel::mix_next(Random& random) {
  const unsigned dice = below(100, random);
  if (dice < 50 && generations_->size() > connection_) {
    const std::uint64_t mine = (generations_->size() - connection_ - 1) / connections_ + 1;
    const std::uint64_t index = connection_ + random() % mine * connections_;
    const bool readable =
        (*generations_)[index] != 0 && (*generations_)[index] != kGenerationUnknown;
    return readable && dice < 30 ? get_bulk(index) : set_bulk(index);
  }

  // Three different own keys; one whose value is not known is set before it is used otherwise.
  const unsigned first = below(kOwnKeys, random);
  const std::vector<unsigned> keys = {first, (first + 1) % kOwnKeys, (first + 2) % kOwnKeys};
  for (const unsigned key : keys) {
    if (!own_[key].known) return set_own(key, random);
  }
  if (dice < 60) return set_own(first, random);
  if (dice < 75) return get_own(first);
  if (dice < 80) {
    const bool there = own_[first].value.has_value();
    own_[first].value.reset();
    return ask({.request = resp_command({"DEL", own_name(first)}),
                .expected = number(there),
                .stored = there,
                .bulk = {},
                .own = {first}});
  }
  if (dice < 98) {
    std::vector<std::string> words;
    std::string expected;
    if (dice < 85) {
      std::size_t there = 0;
      words = {"EXISTS"};
      for (const unsigned key : keys) {
        words.push_back(own_name(key));
        there += own_[key].value.has_value();
      }
      expected = number(there);
    } else if (dice < 93) {
      words = {"MGET"};
      expected = "*3\r\n";
      for (const unsigned key : keys) {
        words.push_back(own_name(key));
        expected += bulk_string(own_[key].value);
      }
    } else {
      words = {"MSET"};
      expected = "+OK\r\n";
      for (const unsigned key : keys) {
        own_[key].value = own_value(++writes_, random);
        words.push_back(own_name(key));
        words.push_back(*own_[key].value);
      }
    }
    return ask({.request = resp_command(words),
                .expected = std::move(expected),
                .stored = dice < 93,
                .bulk = {},
                .own = keys});
  }
  if (dice < 99) {
    return ask(
        {.request = "PING\r\n", .expected = "+PONG\r\n", .stored = false, .bulk = {}, .own = {}});
  }
  const std::string text = "echo " + std::to_string(random());
  return ask({.request = resp_command({"ECHO", text}),
              .expected = bulk_string(text),
              .stored = false,
              .bulk = {},
              .own = {}});
}

Answer KeyModel::answer(std::string_view bytes) {
  BATON_CHECK(!pending_.empty());
  const Pending& oldest = pending_.front();
  Answer answer;
  if (!oldest.expected.empty()) {
    const std::size_t seen = std::min(bytes.size(), oldest.expected.size());
    if (bytes.substr(0, seen) == std::string_view(oldest.expected).substr(0, seen)) {
      if (seen < oldest.expected.size()) return answer;
      answer.size = seen;
      pending_.pop_front();
      return answer;
    }
  }
  const std::size_t size = resp_frame_size(bytes);
  if (size == kRespIncomplete) return answer;
  answer.broken = size == kRespMalformed;
  answer.size = answer.broken ? bytes.size() : size;
  const std::string_view got = bytes.substr(0, answer.size);
  if (answer.broken || got[0] == '-' || !oldest.expected.empty()) {
    answer.wrong =
        quoted(oldest.request) + " expects " + quoted(oldest.expected) + ", got " + quoted(got);
    answer.lost = oldest.stored && got[0] != '-' && !answer.broken;
    forget(oldest);
  }
  pending_.pop_front();
  return answer;
}

void KeyModel::forget(const Pending& pending) {
  if (pending.bulk) (*generations_)[*pending.bulk] = kGenerationUnknown;
  for (const unsigned key : pending.own) own_[key] = OwnKey{};
}

}  // namespace baton::load
