// Client: many connections that check every reply, kept busy at a steady rate or as fast as it
// goes.
//
// One loop over ppoll. Steady: each connection sends a small batch when its turn has come and its
// last batch is answered, so that a pause of the server shows as the latency of the requests caught
// in it and is not made good by a burst. Flood (loading and verifying): a window of requests under
// way on each connection; latencies of a flood are queueing, so they are not recorded.
//
// Ownership: owns its connections; borrows the record.
// Threads:   one.
#pragma once

#include "base/result.h"
#include "load/connection.h"
#include "load/key_model.h"
#include "load/record.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace baton::load {

/// Requests under way on a connection while loading or verifying.
inline constexpr std::size_t kFloodWindow = 256;
/// Requests sent at once on a connection in the steady mixture, at most.
inline constexpr unsigned kBatchMax = 4;

struct ServiceOptions {
  std::string address;  // empty: this service is left out
  unsigned connections = 8;
  double rate = 2000;  // requests per second over all its connections
};

struct ClientOptions {
  ServiceOptions kv;
  ServiceOptions web;
  std::uint64_t keys = 0;
  double timeout_s = 10;  // a connection whose oldest request waits longer is given up
  std::uint64_t seed = 1;
};

std::uint64_t now_ns();
double unix_ms();

class Client {
 public:
  /// Polled beside the connections: `ready` is called when one of `fds` can be read.
  struct Control {
    std::vector<int> fds;
    std::function<void(int fd)> ready;
  };

  /// The names of the services in use, in the order in which `record` is told of them.
  static std::vector<std::string> services(const ClientOptions& options);
  static Result<std::unique_ptr<Client>> connect(const ClientOptions& options, Record* record);

  /// Does the models' work once, as fast as it goes. Returns how many requests were answered.
  std::uint64_t flood(Work work);
  /// Steady load until `is_over` says so, then waits for the replies under way.
  void steady(const Control& control, const std::function<bool()>& is_over);
  /// Tells the record of requests under way, so that a pause counts in the step it began in.
  void note_waiting();
  std::size_t open_connections() const;

 private:
  struct Slot {
    Connection connection;
    std::size_t service;
    unsigned number;          // within its service
    std::uint64_t period_ns;  // between two requests
    std::uint64_t due_ns = 0;
    bool is_done = false;  // of a flood: its model has nothing more to ask
  };

  Client(const ClientOptions& options, Record* record);
  /// Requires: `options` is one of those in options_, which says what is spoken there.
  Result<void> open(const ServiceOptions& options, std::size_t service);
  void fill(Slot& slot, std::uint64_t now);
  void send_batch(Slot& slot, std::uint64_t now);
  void give_up_overdue(std::uint64_t now);
  /// One round of ppoll, until `until_ns` at the latest.
  void round(const Control* control, std::uint64_t until_ns);
  void replied(Slot& slot, const Answer& answer, std::uint64_t sent_ns);
  void lost(Slot& slot, const std::string& why);
  void begin(Work work);
  bool is_quiet() const;

  const ClientOptions options_;
  Record* const record_;
  Random random_;
  Generations generations_;
  Work work_ = Work::kMix;
  std::uint64_t answered_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> last_reply_ns_;  // by service
};

}  // namespace baton::load
