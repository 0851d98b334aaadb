// Connection: one accepted socket: its owner, what it may read, what waits to be sent.
//
//   state      begins with                       reads         ends with
//   free       -                                 -             open
//   open       accepted                          if wanted     close, the owner's end, an error, a
//                                                              time-out, the end of both streams,
//                                                              the last answer, another's need of
//                                                              its place or memory
//   closing    close: what waits is still sent   no            all is sent, an error, or a time-out
//   lingering  our stream has ended              and drops it  the other side's end, an error, or a
//                                                              time-out
//
// Lingering: a socket closed with unread input in it resets the other side, which may lose our last
// answer. The other side's end of its stream (half-close) leaves an open connection open for our
// answers.
//
// Reads happen only in ready(), on the scheduler that watches the socket; writes are tried at once
// by whoever sends, and finished by ready().
//
// Invariants:
//   (1) port() names this use of the slot; it is void (0) when free, and never comes again.
//   (2) An open connection stands in the index under its owner; no other does.
//   (3) While something waits to be sent, readiness will tell when it can go on: the socket has
//       refused some, or a flush is pending.
// Ownership: slots of Connections; never freed, so that a stale port meets a slot of another
//            generation.
// Threads:   any, holding mutex(). Callers look for the port again after locking.
#pragma once

#include "net/check_line.h"
#include "net/http_pipeline.h"
#include "net/http_reader.h"
#include "net/listener.h"
#include "net/readiness.h"
#include "runtime/context.h"

#include <baton/net.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace baton::net {

class Connections;

class Connection {
 public:
  std::mutex& mutex() { return mutex_; }
  /// Void unless open, closing or lingering.
  baton_term port() const { return port_; }
  /// Still its owner's business.
  bool is_open() const { return state_ == State::kOpen; }
  baton_term owner() const { return owner_; }
  /// Only to be compared.
  const Listener* listener() const { return listener_.get(); }

  /// Takes the socket. False: the system cannot watch it; the socket is closed. Direct: an HTTP
  /// connection whose requests go to its listener's owner. With a line, a check of the host's own:
  /// the socket is that line's, and stays open in the end.
  bool open(Connections& table, int fd, std::shared_ptr<CheckLine> line, baton_term port,
            std::shared_ptr<Listener> listener, Readiness& readiness, baton_term owner,
            bool is_direct);

  // What its Readiness tells. `context` is the scheduler's.
  void ready(runtime::Context& context, std::uint32_t events);
  void due(runtime::Context& context, std::uint64_t deadline_ns);
  void flush_gathered(runtime::Context& context);

  // What a process asks for; they answer as baton/net.h says. Requires: is_open.
  int set_active(std::int32_t count);
  std::int64_t send(runtime::Context& context, std::string_view bytes);
  int shutdown(runtime::Context& context);
  int account(std::uint64_t taken, std::uint64_t held);
  void close(runtime::Context& context);
  void pass_to(baton_term pid);
  int respond(runtime::Context& context, std::int64_t request, int status,
              std::span<const baton_http_header> headers, std::string_view body);
  /// Of a check the listener's host, and no port.
  description::Address peer() const;

  /// The process that owned it, or was asked by it, has ended.
  void owner_ended(runtime::Context& context, baton_term pid);
  /// To its owner: it is open now.
  void announce(runtime::Context& context);
  /// The other side is gone, and wants nothing any more.
  void hang_up(runtime::Context& context) { end(context, BATON_NO_TERM); }
  /// Since when nothing goes on on it; 0: something does, it is a check's, or its listener is
  /// another than `of` (null: any).
  std::uint64_t idle_since_ns(const Listener* of) const;
  /// Closes it at once, to make room for another. Requires: it is idle.
  void shed(runtime::Context& context);
  /// What its end would free: not what its owner has been given already.
  std::uint64_t disposable_bytes() const;
  /// Since when it is a large holder.
  std::uint64_t large_since_ns() const { return large_ns_; }
  /// Is it a request that makes it one?
  bool has_large_request() const { return request_bytes() >= kLargeHolderBytes; }
  /// While memory is high: the first large holder is read. Reads go on where they may.
  void resume(bool is_first);
  /// Refuses the request that it holds, or closes it.
  void refuse_memory(runtime::Context& context);
  /// At the host's end.
  void drop();

 private:
  enum class State : std::uint8_t { kFree, kOpen, kClosing, kLingering };
  enum class Active : std::uint8_t { kFalse, kOnce, kCount, kAlways };
  struct Http {
    HttpReader reader;
    HttpPipeline pipeline;
    std::string rest;         // read, but the pipeline is full
    bool takes_more = true;   // false after the last request
    bool is_active = false;   // the owner wants requests
    bool is_stalled = false;  // there is more to read than the pipeline takes
    bool is_done = false;     // the last answer is on its way
  };

  bool wants_input() const;
  bool is_held_back() const;
  /// Of what has come and waits.
  std::uint64_t request_bytes() const;
  /// Counts what it holds; after all that changes it.
  void charge();
  bool has_room() const;
  void progress(runtime::Context& context);
  void take_input(runtime::Context& context, std::string_view bytes);
  void take_tcp(runtime::Context& context, std::string_view bytes);
  void take_http(runtime::Context& context, std::string_view bytes);
  void begin_request(runtime::Context& context, const HttpHead& head, std::string_view body);
  void refuse_request(runtime::Context& context, int status);
  void answer(runtime::Context& context, HttpPipeline::Request& request, int status,
              std::span<const baton_http_header> headers, std::string_view body);
  void send_continue(runtime::Context& context);
  void answer_by_host(runtime::Context& context, std::int64_t request, int status);
  void input_ended(runtime::Context& context);

  std::size_t waiting() const { return out_.size() - out_at_; }
  void append_out(std::string_view bytes);
  std::uint64_t send_time(std::size_t bytes) const;
  /// Writes what waits, then `behind`; what the socket refuses of that waits as well. False: it
  /// failed, and the connection is gone.
  bool write_out(runtime::Context& context, std::string_view behind = {});
  void begin_close();
  void end_output();
  /// Goes from state to state when nothing is left to do in one, and sets the deadline.
  void settle(runtime::Context& context);
  std::uint64_t next_deadline() const;
  void tell_owner(runtime::Context& context, runtime::Message* message);
  /// A check's is marked: it is no use of the service.
  void tell(runtime::Context& context, baton_term pid, runtime::Message* message);
  void fail(runtime::Context& context, baton_term reason);
  /// Without a reason it is no error.
  void end(runtime::Context& context, baton_term reason);
  void finish();
  void rearm();

  std::mutex mutex_;
  // All guarded by mutex_.
  State state_ = State::kFree;
  Active active_ = Active::kFalse;
  bool is_direct_ = false;
  bool may_be_readable_ = false;
  bool has_hung_up_ = false;     // an end or an error is there to be read behind the input
  bool is_input_ended_ = false;  // it was read
  bool ends_output_ = false;     // our stream is to end when all is sent
  bool is_output_ended_ = false;
  bool is_flush_pending_ = false;
  int fd_ = -1;
  std::uint32_t count_ = 0;  // for Active::kCount
  baton_term port_ = BATON_NO_TERM;
  baton_term owner_ = BATON_NO_TERM;
  Connections* table_ = nullptr;
  Readiness* readiness_ = nullptr;
  std::shared_ptr<Listener> listener_;
  std::shared_ptr<CheckLine> line_;  // whose socket it is; null: its own
  std::string out_;
  std::size_t out_at_ = 0;

  std::uint64_t charged_ = 0;        // counted in the listener's memory
  std::uint64_t large_ns_ = 0;       // since when that is much
  std::uint64_t in_mail_ = 0;        // of an owner that accounts: large chunks it has not taken
  std::uint64_t held_by_owner_ = 0;  // what it says
  bool is_accounting_ = false;       // it does
  bool is_first_ = false;            // of the large holders

  std::unique_ptr<Http> http_;

  std::uint64_t armed_ns_ = 0;    // the deadline set with readiness_, 0: none
  std::uint64_t active_ns_ = 0;   // the last byte either way, by a coarse clock
  std::uint64_t request_ns_ = 0;  // the request under way began, 0: none is
  std::uint64_t sent_ns_ = 0;     // the socket last took something of what waits
  std::uint64_t drain_ns_ = 0;    // up to here the client has been quick enough; 0: nothing waits
  std::uint64_t ending_ns_ = 0;   // the input ended, or the state changed to closing or lingering
};

}  // namespace baton::net
