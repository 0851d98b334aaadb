// HttpPipeline: the requests of one connection that wait for their answers, in order.
//
// Answers may be given in any order; each goes out when all before it have.
//
// Invariants:
//   (1) Requests have consecutive numbers, from 1; the first one waiting has no answer yet.
// Threads: one at a time.
#pragma once

#include "net/http_answer.h"

#include <baton/abi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace baton::net {

class HttpPipeline {
 public:
  struct Request {
    baton_term owner;  // who was asked; 0: the host answers
    HttpExchange exchange;
    std::size_t body_size = 0;
    bool is_answered = false;
    std::string answer;  // waits for those before it
  };

  std::size_t waiting() const { return requests_.size() - done_; }
  bool is_empty() const { return waiting() == 0; }
  /// Of the bodies of those that wait.
  std::size_t body_bytes() const { return body_bytes_; }
  /// Of the answers that wait for those before them.
  std::size_t answer_bytes() const { return answer_bytes_; }
  /// The request, which is not the next, has its answer.
  void keep_answer(const Request& request) { answer_bytes_ += request.answer.size(); }

  /// Its number.
  std::int64_t add(baton_term owner, const HttpExchange& exchange, std::size_t body_size) {
    requests_.push_back({owner, exchange, body_size, false, {}});
    body_bytes_ += body_size;
    return first_ + static_cast<std::int64_t>(requests_.size()) - 1;
  }
  /// A request without an answer yet, else null. Good until the next add or finish.
  Request* find(std::int64_t number) {
    if (number < first_ + static_cast<std::int64_t>(done_)) return nullptr;
    const auto index = static_cast<std::uint64_t>(number - first_);
    if (index >= requests_.size() || requests_[index].is_answered) return nullptr;
    return &requests_[index];
  }
  bool is_next(const Request& request) const { return &request == &requests_[done_]; }

  /// The first one waiting has gone out. Appends to `out` the answers behind it that were ready.
  /// True: the last of these is the connection's last.
  bool finish(std::string& out) {
    bool keeps_alive = take_first();
    while (keeps_alive && done_ < requests_.size() && requests_[done_].is_answered) {
      out += requests_[done_].answer;
      answer_bytes_ -= requests_[done_].answer.size();
      keeps_alive = take_first();
    }
    if (done_ == requests_.size()) {
      first_ += static_cast<std::int64_t>(done_);
      requests_.clear();
      done_ = 0;
    }
    return !keeps_alive;
  }

  /// The numbers of those that wait for an answer of `owner`.
  std::vector<std::int64_t> asked_of(baton_term owner) const {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = done_; i < requests_.size(); ++i)
      if (!requests_[i].is_answered && requests_[i].owner == owner)
        numbers.push_back(first_ + static_cast<std::int64_t>(i));
    return numbers;
  }

 private:
  // Whether the connection goes on after it.
  bool take_first() {
    const Request& first = requests_[done_++];
    body_bytes_ -= first.body_size;
    return first.exchange.keeps_alive;
  }

  std::int64_t first_ = 1;  // the number of requests_[0]
  std::size_t done_ = 0;    // of requests_, from the front
  std::size_t body_bytes_ = 0;
  std::size_t answer_bytes_ = 0;
  std::vector<Request> requests_;
};

}  // namespace baton::net
