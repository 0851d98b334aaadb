#include "net/connection.h"

#include "base/check.h"
#include "net/connections.h"
#include "net/messages.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace baton::net {

namespace {

constexpr std::uint32_t kEvents = std::uint32_t{EPOLLIN} | std::uint32_t{EPOLLOUT} |
                                  std::uint32_t{EPOLLRDHUP} | std::uint32_t{EPOLLET};
constexpr std::uint32_t kReadEvents =
    std::uint32_t{EPOLLIN} | std::uint32_t{EPOLLRDHUP} | std::uint32_t{EPOLLHUP};
constexpr std::uint32_t kHangUpEvents = std::uint32_t{EPOLLRDHUP} | std::uint32_t{EPOLLHUP};

ssize_t send_both(int fd, std::string_view first, std::string_view second) {
  if (first.empty()) std::swap(first, second);
  if (second.empty()) return ::send(fd, first.data(), first.size(), MSG_NOSIGNAL);
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Some milliseconds late, but cheap enough to be asked for every read and write.
std::uint64_t coarse_now_ns() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

bool Connection::open(Connections& table, int fd, std::shared_ptr<CheckLine> line, baton_term port,
                      std::shared_ptr<Listener> listener, Readiness& readiness, baton_term owner,
                      bool is_direct) {
  BATON_CHECK(state_ == State::kFree);
  if (!readiness.watch(fd, port, kEvents)) {
    if (line == nullptr) ::close(fd);
    return false;
  }
  state_ = State::kOpen;
  active_ = Active::kFalse;
  is_direct_ = is_direct;
  may_be_readable_ = has_hung_up_ = is_input_ended_ = false;
  ends_output_ = is_output_ended_ = is_flush_pending_ = false;
  fd_ = fd;
  count_ = 0;
  port_ = port;
  owner_ = owner;
  table_ = &table;
  readiness_ = &readiness;
  listener_ = std::move(listener);
  line_ = std::move(line);
  armed_ns_ = sent_ns_ = drain_ns_ = ending_ns_ = request_ns_ = 0;
  charged_ = large_ns_ = in_mail_ = held_by_owner_ = 0;
  is_accounting_ = is_first_ = false;
  active_ns_ = runtime::now_ns();
  if (listener_->is_http()) {
    http_ = std::make_unique<Http>();
    http_->is_active = is_direct;
    request_ns_ = active_ns_;
  }
  table_->index().add(owner_, port_);
  add(listener_->counters().accepted);
  add(listener_->counters().open);
  const std::uint64_t deadline = next_deadline();
  if (deadline != runtime::kNever) readiness_->set_deadline(armed_ns_ = deadline, port_);
  return true;
}

// ---- Reading

bool Connection::wants_input() const {
  if (state_ == State::kLingering) return true;
  if (state_ != State::kOpen || waiting() > kSendQueueBytesHigh || is_held_back()) return false;
  if (http_ == nullptr) return active_ != Active::kFalse;
  return http_->is_active && http_->takes_more && http_->rest.empty() && has_room();
}

// What holds nothing is read at any level: small requests are served.
bool Connection::is_held_back() const {
  if (charged_ == 0) return false;
  switch (listener_->memory().level()) {
    case Memory::Level::kCalm: return false;
    case Memory::Level::kHigh: return charged_ >= kLargeHolderBytes && !is_first_;
    case Memory::Level::kFull: return true;
  }
  return false;
}

std::uint64_t Connection::disposable_bytes() const {
  const std::uint64_t passed_on =
      in_mail_ + (http_ != nullptr ? http_->pipeline.body_bytes() : std::uint64_t{0});
  return charged_ - std::min(charged_, passed_on);
}

std::uint64_t Connection::request_bytes() const {
  std::uint64_t bytes = in_mail_ + held_by_owner_;
  if (http_ != nullptr)
    bytes += http_->reader.kept_bytes() + http_->rest.capacity() + http_->pipeline.body_bytes();
  return bytes;
}

void Connection::charge() {
  const std::uint64_t answers = http_ != nullptr ? http_->pipeline.answer_bytes() : 0;
  const std::uint64_t held = request_bytes() + answers + out_.capacity();
  const std::uint64_t counted = held & ~(kMemoryStepBytes - 1);
  if (counted == charged_) return;
  Memory& memory = listener_->memory();
  if (counted > charged_) {
    memory.add(counted - charged_);
    if (counted >= kLargeHolderBytes && charged_ < kLargeHolderBytes) large_ns_ = runtime::now_ns();
  } else {
    memory.subtract(charged_ - counted);
    if (counted < kLargeHolderBytes) is_first_ = false;
  }
  charged_ = counted;
  if (memory.level() != Memory::Level::kCalm) table_->watch_memory(*readiness_);
}

// For one more request: what it holds until it is answered is bounded, in number and in bytes.
bool Connection::has_room() const {
  return http_->pipeline.waiting() < kPipelinedRequestsMax &&
         http_->pipeline.body_bytes() <=
             listener_->limits().body_bytes_max.load(std::memory_order_relaxed);
}

void Connection::ready(runtime::Context& context, std::uint32_t events) {
  if ((events & EPOLLERR) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(context, atom_of_error(error));
  }
  if ((events & kReadEvents) != 0) may_be_readable_ = true;
  if ((events & kHangUpEvents) != 0) has_hung_up_ = true;
  if ((events & EPOLLOUT) != 0 && waiting() != 0 && !write_out(context)) return;
  progress(context);
  if (fd_ >= 0) settle(context);
}

void Connection::progress(runtime::Context& context) {
  if (http_ != nullptr && state_ == State::kOpen && !http_->rest.empty() &&
      waiting() <= kSendQueueBytesHigh && has_room()) {
    const std::string rest = std::exchange(http_->rest, {});
    take_http(context, rest);
  }
  for (int i = 0; i < kReadsMax && fd_ >= 0 && may_be_readable_ && !is_input_ended_; ++i) {
    if (!wants_input()) break;
    const std::span<char> buffer = readiness_->buffer();
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      // What a short read leaves behind can only be an end, which is told of with the input or
      // later.
      if (static_cast<std::size_t>(size) < buffer.size() && !has_hung_up_) may_be_readable_ = false;
      take_input(context, {buffer.data(), static_cast<std::size_t>(size)});
    } else if (size == 0) {
      input_ended(context);
    } else if (errno == EAGAIN) {
      may_be_readable_ = false;
    } else if (errno != EINTR) {
      return fail(context, atom_of_error(errno));
    }
  }
  if (fd_ < 0 || is_input_ended_ || !may_be_readable_) return;
  if (wants_input())
    rearm();  // the others first
  else if (http_ != nullptr && !has_room())
    http_->is_stalled = true;
}

void Connection::take_input(runtime::Context& context, std::string_view bytes) {
  add(listener_->counters().bytes_received, bytes.size());
  active_ns_ = coarse_now_ns();
  if (state_ != State::kOpen) return;
  if (http_ != nullptr)
    take_http(context, bytes);
  else
    take_tcp(context, bytes);
}

void Connection::take_tcp(runtime::Context& context, std::string_view bytes) {
  tell_owner(context, tcp_message(context, port_, bytes));
  if (is_accounting_ && bytes.size() >= BATON_TCP_LARGE) in_mail_ += bytes.size();
  if (active_ == Active::kOnce) active_ = Active::kFalse;
  if (active_ != Active::kCount || --count_ != 0) return;
  active_ = Active::kFalse;
  tell_owner(context, message_of(context, atoms::kTcpPassive, port_));
}

void Connection::input_ended(runtime::Context& context) {
  is_input_ended_ = true;
  may_be_readable_ = false;
  if (state_ == State::kOpen) {
    ending_ns_ = runtime::now_ns();
    if (http_ == nullptr) tell_owner(context, message_of(context, atoms::kTcpClosed, port_));
  }
}

void Connection::rearm() { readiness_->rearm(fd_, port_, kEvents); }

int Connection::account(std::uint64_t taken, std::uint64_t held) {
  if (http_ != nullptr) return BATON_NET_INVALID;
  is_accounting_ = true;
  in_mail_ -= std::min(in_mail_, taken);
  held_by_owner_ = held;
  charge();
  if (may_be_readable_ && wants_input()) rearm();
  const bool is_too_much = held >= kLargeHolderBytes && !is_first_ &&
                           listener_->memory().level() == Memory::Level::kFull;
  if (is_too_much) add(listener_->counters().memory);
  return is_too_much ? BATON_NET_NO_MEMORY : BATON_NET_OK;
}

int Connection::set_active(std::int32_t count) {
  if (http_ != nullptr) {
    if (is_direct_) return BATON_NET_NOT_OWNER;
    if (count != BATON_ACTIVE_ALWAYS && count != BATON_ACTIVE_FALSE) return BATON_NET_INVALID;
    http_->is_active = count == BATON_ACTIVE_ALWAYS;
  } else if (count > 0) {
    in_mail_ = 0;  // what came before has been taken, whether that was said or not
    if (active_ != Active::kCount) count_ = 0;
    active_ = Active::kCount;
    constexpr std::uint32_t kCountMax = std::uint32_t{1} << 31;
    count_ = std::min(count_ + static_cast<std::uint32_t>(count), kCountMax);
  } else {
    switch (count) {
      case BATON_ACTIVE_FALSE: active_ = Active::kFalse; break;
      case BATON_ACTIVE_ALWAYS: active_ = Active::kAlways; break;
      case BATON_ACTIVE_ONCE: active_ = Active::kOnce; break;
      default: return BATON_NET_INVALID;
    }
  }
  // The read itself is the scheduler's, between turns: what it sends must not count as this
  // callback's.
  if (may_be_readable_ && wants_input()) rearm();
  return BATON_NET_OK;
}

// ---- HTTP

void Connection::take_http(runtime::Context& context, std::string_view bytes) {
  Connections::Scratch& scratch = table_->scratch(context);
  const ListenerLimits& limits = listener_->limits();
  const HttpLimits http_limits{limits.header_bytes_max.load(std::memory_order_relaxed),
                               limits.body_bytes_max.load(std::memory_order_relaxed)};
  while (!bytes.empty() && http_->takes_more) {
    if (!has_room() || waiting() > kSendQueueBytesHigh) {
      http_->rest.assign(bytes);
      http_->is_stalled = true;
      break;
    }
    std::string_view body;
    switch (http_->reader.next(bytes, http_limits, scratch.head, body)) {
      case HttpReader::Progress::kMore: break;
      case HttpReader::Progress::kRequest:
        request_ns_ = 0;  // what is behind it is another's
        begin_request(context, scratch.head, body);
        if (fd_ >= 0) http_->reader.drop_request();
        break;
      case HttpReader::Progress::kRefused:
        add(listener_->counters().http_malformed);
        return refuse_request(context, http_->reader.refused());
    }
    if (fd_ < 0) return;
  }
  if (http_->reader.is_idle())
    request_ns_ = 0;
  else if (request_ns_ == 0)
    request_ns_ = runtime::now_ns();
  send_continue(context);
}

void Connection::send_continue(runtime::Context& context) {
  // Behind all answers to what came before.
  if (!http_->pipeline.is_empty() || !http_->reader.take_continue()) return;
  add(listener_->counters().http_responses[0]);
  append_out("HTTP/1.1 100 Continue\r\n\r\n");
  write_out(context);
}

void Connection::begin_request(runtime::Context& context, const HttpHead& head,
                               std::string_view body) {
  if (!head.keeps_alive) http_->takes_more = false;
  const baton_term owner = is_direct_ ? listener_->owner() : owner_;
  const std::int64_t number = http_->pipeline.add(
      owner, {head.is_head_method, head.keeps_alive, head.minor_version}, body.size());
  if (owner == BATON_NO_TERM) {
    add(listener_->counters().http_failed);
    return answer_by_host(context, number, 503);
  }
  add(listener_->counters().http_requests);
  tell(context, owner, http_message(context, port_, number, head, body));
}

void Connection::refuse_request(runtime::Context& context, int status) {
  http_->takes_more = false;
  request_ns_ = 0;
  answer_by_host(context, http_->pipeline.add(BATON_NO_TERM, {.keeps_alive = false}, 0), status);
}

void Connection::answer_by_host(runtime::Context& context, std::int64_t number, int status) {
  constexpr std::string_view kName = "content-type", kValue = "text/plain";
  const baton_http_header type{kName.data(), kName.size(), kValue.data(), kValue.size()};
  std::string body(reason_phrase(status));
  body += '\n';
  answer(context, *http_->pipeline.find(number), status, {&type, 1}, body);
}

int Connection::respond(runtime::Context& context, std::int64_t number, int status,
                        std::span<const baton_http_header> headers, std::string_view body) {
  if (http_ == nullptr) return BATON_NET_INVALID;
  HttpPipeline::Request* request = http_->pipeline.find(number);
  if (request == nullptr) return BATON_NET_CLOSED;
  bool closes = false;
  if (!may_answer(status, headers, closes)) return BATON_NET_INVALID;
  if (closes) request->exchange.keeps_alive = false;
  answer(context, *request, status, headers, body);
  if (fd_ >= 0) settle(context);
  return BATON_NET_OK;
}

void Connection::answer(runtime::Context& context, HttpPipeline::Request& request, int status,
                        std::span<const baton_http_header> headers, std::string_view body) {
  HttpPipeline& pipeline = http_->pipeline;
  const bool is_next = pipeline.is_next(request);
  if (is_next &&
      waiting() >= listener_->limits().send_queue_bytes_max.load(std::memory_order_relaxed))
    return fail(context, atoms::kSendQueueFull);
  std::string& to = is_next ? out_ : request.answer;
  append_answer_head(to, request.exchange, status, headers, body.size(),
                     table_->scratch(context).date.now());
  if (!has_body(status, request.exchange)) body = {};
  if (!is_next || body.size() <= kCopiedBodyBytesMax) {
    to += body;
    body = {};
  }
  if (!is_next) pipeline.keep_answer(request);
  request.is_answered = true;
  add(listener_->counters().http_responses[static_cast<std::size_t>(status / 100 - 1)]);
  if (!is_next) return;

  if (!body.empty() && !write_out(context, body)) return;
  if (pipeline.finish(out_)) {
    http_->is_done = true;
    http_->takes_more = false;
  }
  if (http_->is_stalled && pipeline.waiting() <= kPipelinedRequestsMax / 2 && has_room()) {
    http_->is_stalled = false;
    rearm();
  }
  if (!http_->is_done && !pipeline.is_empty() && waiting() < kGatheredBytesMax &&
      context.scheduler == &readiness_->scheduler()) {
    // The answers to the requests behind it may be about to come: one write for all.
    if (!std::exchange(is_flush_pending_, true)) readiness_->flush_later(port_);
    return;
  }
  if (waiting() == 0 || write_out(context)) send_continue(context);
}

void Connection::flush_gathered(runtime::Context& context) {
  is_flush_pending_ = false;
  if (waiting() != 0 && !write_out(context)) return;
  settle(context);
}

// ---- Sending

// How long a client may take for so many bytes.
std::uint64_t Connection::send_time(std::size_t bytes) const {
  const std::uint64_t rate =
      listener_->limits().send_bytes_per_second_min.load(std::memory_order_relaxed);
  return bytes * 1'000'000'000 / rate;
}

void Connection::append_out(std::string_view bytes) {
  if (out_at_ > out_.size() / 2) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  out_ += bytes;
}

bool Connection::write_out(runtime::Context& context, std::string_view behind) {
  if (waiting() == 0 && behind.empty()) return true;
  std::size_t taken = 0;
  for (;;) {
    const ssize_t result = send_both(fd_, {out_.data() + out_at_, waiting()}, behind);
    if (result < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) break;
      fail(context, atom_of_error(errno));
      return false;
    }
    taken = static_cast<std::size_t>(result);
    add(listener_->counters().bytes_sent, taken);
    const std::size_t from_queue = std::min(taken, waiting());
    out_at_ += from_queue;
    behind.remove_prefix(taken - from_queue);
    if (waiting() == 0 && behind.empty()) {
      out_at_ = 0;
      drain_ns_ = 0;
      out_.clear();
      if (out_.capacity() > kKeptBufferBytesMax) out_.shrink_to_fit();
      active_ns_ = coarse_now_ns();
      return true;
    }
    break;  // a short write: the socket is full
  }
  if (!behind.empty() && !listener_->memory().has_room(behind.size())) {
    add(listener_->counters().memory);
    fail(context, atoms::kMemoryFull);
    return false;
  }
  const std::uint64_t now = runtime::now_ns();
  if (drain_ns_ == 0) {
    sent_ns_ = drain_ns_ = now;
  } else if (taken != 0) {
    sent_ns_ = now;
    drain_ns_ = std::min(now, drain_ns_ + send_time(taken));
  }
  append_out(behind);
  return true;
}

std::int64_t Connection::send(runtime::Context& context, std::string_view bytes) {
  if (http_ != nullptr) return BATON_NET_INVALID;
  if (ends_output_) return BATON_NET_CLOSED;
  if (waiting() == 0) {
    if (!write_out(context, bytes)) return BATON_NET_CLOSED;
  } else {
    if (waiting() >= listener_->limits().send_queue_bytes_max.load(std::memory_order_relaxed)) {
      fail(context, atoms::kSendQueueFull);
      return BATON_NET_CLOSED;
    }
    append_out(bytes);
  }
  if (waiting() != 0) settle(context);
  return static_cast<std::int64_t>(waiting());
}

int Connection::shutdown(runtime::Context& context) {
  if (http_ != nullptr) return BATON_NET_INVALID;
  ends_output_ = true;
  settle(context);
  return BATON_NET_OK;
}

// ---- Ending

void Connection::close(runtime::Context& context) {
  begin_close();
  settle(context);
}

void Connection::begin_close() {
  BATON_CHECK(state_ == State::kOpen, "it is on its way to its end already");
  table_->index().remove(owner_, port_);
  state_ = State::kClosing;
  ending_ns_ = sent_ns_ = runtime::now_ns();
}

void Connection::pass_to(baton_term pid) {
  table_->index().remove(owner_, port_);
  owner_ = pid;
  table_->index().add(owner_, port_);
}

description::Address Connection::peer() const {
  if (line_ != nullptr) return {listener_->address().host, 0};
  return address_of(fd_, Side::kPeer);
}

void Connection::owner_ended(runtime::Context& context, baton_term pid) {
  if (http_ != nullptr) {
    // Without its owner, and without a listener that might get another, it has no more to do.
    const bool is_last = !is_direct_ || listener_->is_closed();
    if (is_last) http_->takes_more = false;
    const std::vector<std::int64_t> numbers = http_->pipeline.asked_of(pid);
    for (std::int64_t number : numbers) {
      add(listener_->counters().http_failed);
      if (is_last && number == numbers.back())
        http_->pipeline.find(number)->exchange.keeps_alive = false;
      answer_by_host(context, number, 500);
      if (fd_ < 0) return;
    }
  }
  // The last answer may have begun it.
  if (state_ == State::kOpen && (!is_direct_ || listener_->is_closed())) begin_close();
  if (waiting() != 0 && !write_out(context)) return;
  settle(context);
}

void Connection::end_output() {
  if (line_ == nullptr) ::shutdown(fd_, SHUT_WR);
  is_output_ended_ = true;
}

void Connection::settle(runtime::Context& context) {
  if (state_ == State::kOpen && http_ != nullptr) {
    const bool is_over = is_input_ended_ && http_->pipeline.is_empty() && http_->rest.empty();
    if (http_->is_done || is_over) {
      if (!is_direct_) tell_owner(context, message_of(context, atoms::kTcpClosed, port_));
      begin_close();
    }
  }
  if (state_ == State::kOpen && ends_output_ && !is_output_ended_ && waiting() == 0) {
    end_output();
  }
  if (state_ == State::kOpen && is_output_ended_ && is_input_ended_) begin_close();
  if (state_ == State::kClosing && waiting() == 0) {
    // A line loses nothing, and its stream does not end.
    if (is_input_ended_ || line_ != nullptr) return finish();
    if (!is_output_ended_) end_output();
    state_ = State::kLingering;
    ending_ns_ = runtime::now_ns();
    if (may_be_readable_) rearm();
  } else if (state_ == State::kLingering && is_input_ended_) {
    return finish();
  }
  charge();
  const std::uint64_t deadline = next_deadline();
  if (deadline != runtime::kNever && (armed_ns_ == 0 || deadline < armed_ns_))
    readiness_->set_deadline(armed_ns_ = deadline, port_);
}

std::uint64_t Connection::next_deadline() const {
  const ListenerLimits& limits = listener_->limits();
  const auto limit = [](const std::atomic<std::uint64_t>& value) {
    return value.load(std::memory_order_relaxed);
  };
  if (state_ == State::kLingering) return ending_ns_ + kLingerNs;
  std::uint64_t earliest = runtime::kNever;
  if (waiting() != 0 && !is_flush_pending_)
    earliest = std::min(sent_ns_, drain_ns_) + limit(limits.send_timeout_ns);
  if (state_ != State::kOpen) return earliest;
  const bool is_answering = http_ != nullptr && !http_->pipeline.is_empty();
  if (is_input_ended_ && !is_answering) earliest = std::min(earliest, ending_ns_ + kHalfClosedNs);
  if (request_ns_ != 0 && limit(limits.request_timeout_ns) != 0)
    earliest = std::min(earliest, request_ns_ + limit(limits.request_timeout_ns));
  if (limit(limits.idle_timeout_ns) != 0 && waiting() == 0 && !is_answering)
    earliest = std::min(earliest, active_ns_ + limit(limits.idle_timeout_ns));
  return earliest;
}

void Connection::due(runtime::Context& context, std::uint64_t deadline_ns) {
  if (deadline_ns != armed_ns_) return;  // an earlier one was set since
  armed_ns_ = 0;
  const std::uint64_t now = runtime::now_ns();
  // What has come and was not read yet is not the client's delay.
  if (request_ns_ != 0 && (!wants_input() || may_be_readable_)) request_ns_ = now;
  if (next_deadline() > now) return settle(context);

  Counters& counters = listener_->counters();
  add(counters.timeouts);
  if (state_ == State::kLingering) return finish();
  if (waiting() != 0 && std::min(sent_ns_, drain_ns_) + listener_->limits().send_timeout_ns <= now)
    return fail(context, atoms::kSendTimeout);
  if (is_input_ended_) {
    if (state_ == State::kOpen) begin_close();
    return settle(context);
  }
  if (http_ == nullptr) return fail(context, atoms::kIdleTimeout);
  if (request_ns_ != 0 && !http_->reader.is_idle()) {
    refuse_request(context, 408);
    if (fd_ >= 0) settle(context);
    return;
  }
  // Nothing was asked: nothing is answered.
  http_->takes_more = false;
  http_->is_done = true;
  request_ns_ = 0;
  settle(context);
}

void Connection::tell_owner(runtime::Context& context, runtime::Message* message) {
  tell(context, owner_, message);
}

void Connection::tell(runtime::Context& context, baton_term pid, runtime::Message* message) {
  if (line_ != nullptr) message->flags |= runtime::kSetOff;
  runtime::send(context, pid, message);
}

void Connection::announce(runtime::Context& context) {
  tell_owner(context, message_of(context, atoms::kTcpAccepted, listener_->atom(), port_));
}

std::uint64_t Connection::idle_since_ns(const Listener* of) const {
  if (state_ != State::kOpen || (of != nullptr && listener_.get() != of)) return 0;
  if (line_ != nullptr) return 0;
  if (waiting() != 0 || may_be_readable_) return 0;
  return http_ == nullptr || http_->pipeline.is_empty() ? active_ns_ : 0;
}

void Connection::resume(bool is_first) {
  is_first_ = is_first;
  if (state_ == State::kOpen && may_be_readable_ && wants_input()) rearm();
}

void Connection::refuse_memory(runtime::Context& context) {
  add(listener_->counters().memory);
  if (state_ != State::kOpen || http_ == nullptr || http_->reader.is_idle())
    return fail(context, atoms::kMemoryFull);
  http_->reader = HttpReader();
  refuse_request(context, 503);
  if (fd_ >= 0) settle(context);
}

void Connection::shed(runtime::Context& context) {
  add(listener_->counters().shed);
  end(context, atoms::kShed);
}

void Connection::fail(runtime::Context& context, baton_term reason) {
  add(listener_->counters().errors);
  end(context, reason);
}

void Connection::end(runtime::Context& context, baton_term reason) {
  // After tcp_closed nothing more is said.
  const bool is_told = http_ == nullptr ? is_input_ended_ : is_direct_;
  if (state_ == State::kOpen && !is_told) {
    if (http_ == nullptr && reason != BATON_NO_TERM)
      tell_owner(context, message_of(context, atoms::kTcpError, port_, reason));
    tell_owner(context, message_of(context, atoms::kTcpClosed, port_));
  }
  finish();
}

void Connection::finish() {
  if (state_ == State::kOpen) table_->index().remove(owner_, port_);
  if (line_ != nullptr) {
    readiness_->unwatch(fd_);
  } else {
    ::close(fd_);
    readiness_->forget();
  }
  add(listener_->counters().closed);
  listener_->counters().open.fetch_sub(1, std::memory_order_relaxed);
  listener_->memory().subtract(charged_);
  charged_ = 0;
  const baton_term port = port_;
  state_ = State::kFree;
  fd_ = -1;
  port_ = owner_ = BATON_NO_TERM;
  listener_.reset();
  line_.reset();
  http_.reset();
  out_ = {};
  out_at_ = 0;
  // Last: from here on the slot may be opened anew, by whoever gets our mutex next.
  table_->release(port);
}

void Connection::drop() {
  std::lock_guard lock(mutex_);
  if (state_ != State::kFree) finish();
}

}  // namespace baton::net
