// Runtime: the schedulers and all they share, from start to stop; calls from outside.
//
// What a process does to others is in primitives.h; a thread outside the schedulers does it in a
// context that it borrows with an External.
//
// Ownership: owns schedulers, contexts, the process table, names and timers. The code table, the
//            atoms and the observer belong to whoever constructs it and outlive it.
// Threads:   as said per function.
#pragma once

#include "base/result.h"
#include "code/code_table.h"
#include "runtime/context.h"
#include "runtime/estates.h"
#include "runtime/host_table.h"
#include "runtime/observer.h"
#include "runtime/port_keeper.h"
#include "runtime/registry.h"
#include "runtime/runner.h"
#include "runtime/scheduler.h"
#include "runtime/wakeup.h"
#include "term/atom_table.h"
#include "term/block.h"

#include <baton/abi.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::runtime {

class Question;
class Questions;
class Watch;

/// 20 us.
void sleep_a_moment();

struct Options {
  std::uint32_t schedulers = 0;  // 0: as usable_processors; at most kSchedulersMax
  // What a thread does that waits for the schedulers to come by, before it looks again. A
  // simulation, whose schedulers have no threads, lets them work here.
  std::function<void()> pause = sleep_a_moment;
  // What happens wherever a take-over looks twice or changes several things, and a scheduler may
  // come in between. A simulation lets its schedulers work here too; empty: nothing.
  std::function<void()> scheduling_point = nullptr;
  LongScheduleLimits limits = {};
};
/// How long one who can be refused waits for a context.
inline constexpr std::chrono::seconds kBorrowTimeout{1};

/// Why messages are looked at on their way.
enum class Attention : std::uint8_t {
  kDraining = 1,  // for chains (chain.h)
  kSampling = 2,  // for samples (sample.h)
};

class Runtime {
 public:
  Runtime(Options options, term::AtomTable& atoms, code::CodeTable& code, Observer& observer);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void start();
  /// Ends the schedulers after the callbacks under way, and frees what the processes hold. They are
  /// not told: stop applications first. Who still waits for an answer from outside gets an error.
  /// False: at the deadline callbacks were still inside; nothing was freed, and nothing that they
  /// may reach may be: the program is to end by _exit.
  bool stop(std::uint64_t deadline_ns = kNever);

  std::uint32_t scheduler_count() const { return static_cast<std::uint32_t>(schedulers_.size()); }
  Scheduler& scheduler(std::uint32_t i) { return *schedulers_[i]; }
  Runners& runners() { return runners_; }
  Watch& watch() { return *watch_; }
  ProcessTable& table() { return table_; }
  Registry& registry() { return registry_; }
  term::AtomTable& atoms() { return atoms_; }
  code::CodeTable& code() { return code_; }
  Observer& observer() { return observer_; }
  const baton_host& host_table() const { return host_table_; }
  Depot& depot() { return depot_; }

  /// What get_extension answers; set before start.
  void add_extension(std::string name, const void* table);
  const void* extension(std::string_view name) const;
  /// Set before start; lives as long as the schedulers run.
  void set_port_keeper(PortKeeper* keeper) { port_keeper_ = keeper; }
  PortKeeper* port_keeper() const { return port_keeper_; }
  /// From now on the keeper hears of this process's end. False: it has ended already. Any thread.
  bool watch_port_owner(baton_term pid);
  /// What config answers, from any scheduler; a block allocated in that context, or null. Set
  /// before start.
  using Config = std::function<Message*(Context&, baton_term pid, std::string_view key)>;
  void set_config(Config config) { config_ = std::move(config); }
  const Config& config() const { return config_; }

  /// The process behind a pid, which may be dead or another's by now; null for what is no local
  /// pid.
  Process* find(baton_term pid);
  /// Whether a pid is that of a process that lives.
  bool is_alive(baton_term pid);

  /// Asks a process and waits, at most that long whatever the schedulers do. Any thread outside the
  /// schedulers. kNotFound: no such process or name, or it died (the reason is in the message);
  /// kTimedOut; kUnreachable: the runtime has stopped, or the waiting is to; kBusy: as
  /// External::borrow; kFailed: somebody ended the process that asked for it.
  Result<term::Block> call(baton_term to, const term::Block& request,
                           std::chrono::milliseconds timeout, std::stop_token stop = {});
  /// Asks, and leaves the waiting to the caller (asker.h).
  Result<std::shared_ptr<Question>> begin_call(baton_term to, const term::Block& request,
                                               std::chrono::milliseconds timeout);
  /// The same for a SystemRequest; `argument` is an exit reason for kTerminate.
  Result<term::Block> system(baton_term to, SystemRequest request,
                             std::chrono::milliseconds timeout, baton_term argument = BATON_NO_TERM,
                             std::stop_token stop = {});

  /// Processes of the host's own behaviours run this version.
  code::Version& builtin() { return *builtin_; }
  Questions& questions() { return *questions_; }

  // The take-over's side: see takeover/.
  /// Waits as Options::pause says; between two looks at what schedulers do. Not on a scheduler's
  /// thread.
  void pause() { pause_(); }
  /// Does what Options::scheduling_point says. Not on a scheduler's thread.
  void scheduling_point() const {
    if (scheduling_point_) scheduling_point_();
  }
  /// Makes every scheduler pass the boundary between two callbacks, where it gives what a drain put
  /// aside back to its run queues. Blocks until all have, or the deadline passes: false. Afterwards
  /// each callback that was under way has returned, or is an exile's (watch.h), whose host calls
  /// under way have returned. Any thread outside the schedulers.
  bool barrier(std::uint64_t deadline_ns);
  /// From now on messages are looked at for that, or not. Any thread.
  void attend(Attention why, bool is_on) {
    const auto bit = static_cast<std::uint8_t>(why);
    if (is_on)
      attention_.fetch_or(bit, std::memory_order_seq_cst);
    else
      attention_.fetch_and(static_cast<std::uint8_t>(~bit), std::memory_order_seq_cst);
  }
  bool attends(Attention why) const {
    return (attention_.load(std::memory_order_relaxed) & static_cast<std::uint8_t>(why)) != 0;
  }
  /// To anything: one look on the fast paths, and mostly not.
  bool attends() const {
    return __builtin_expect(attention_.load(std::memory_order_relaxed) != 0, 0);
  }
  bool is_draining() const { return attends(Attention::kDraining); }

  // For scheduler.cc and the send path.
  Wakeup& wakeup() { return wakeup_; }
  Estates& estates() { return estates_; }
  bool is_stopping() const { return is_stopping_.load(std::memory_order_acquire); }

 private:
  friend class External;
  friend class Scheduler;

  /// Null: none came free within the patience.
  Context* borrow(std::chrono::nanoseconds patience);
  Context* borrow();
  Context* take_external();
  bool has_external() const;
  void give_back(Context* context);
  Result<std::shared_ptr<Question>> ask(Context& context, baton_term to, Message* request,
                                        std::chrono::milliseconds timeout);

  // Constant after construction.
  term::AtomTable& atoms_;
  code::CodeTable& code_;
  Observer& observer_;
  const std::function<void()> pause_;
  const std::function<void()> scheduling_point_;
  HostTable host_table_;
  // Constant after start.
  std::vector<std::pair<std::string, const void*>> extensions_;
  Config config_;
  PortKeeper* port_keeper_ = nullptr;

  Depot depot_;
  ProcessTable table_;
  Registry registry_;
  std::unique_ptr<code::Version> builtin_;
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  Runners runners_;
  std::unique_ptr<Watch> watch_;

  std::unique_ptr<Questions> questions_;

  std::mutex externals_mutex_;
  std::condition_variable external_free_;
  std::vector<std::unique_ptr<Context>> externals_;  // guarded by externals_mutex_
  std::vector<Context*> free_externals_;             // guarded by externals_mutex_

  Wakeup wakeup_;
  Estates estates_;
  alignas(128) std::atomic<std::uint8_t> attention_{0};  // of Attention
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<bool> is_stopping_{false};
};

/// A context borrowed by a thread that is no scheduler, for as long as it takes to write down what
/// is to be sent: nobody waits for an answer while he holds one. There are kExternalsMax.
class External {
 public:
  /// kBusy: all are in use, and none came back within the patience.
  static Result<External> borrow(Runtime& runtime,
                                 std::chrono::nanoseconds patience = kBorrowTimeout);
  /// Waits until one is free; for what cannot be refused, as a destructor.
  explicit External(Runtime& runtime) : runtime_(&runtime), context_(runtime.borrow()) {}
  External(External&& other) noexcept
      : runtime_(other.runtime_), context_(std::exchange(other.context_, nullptr)) {}
  External& operator=(External&&) = delete;
  ~External() {
    if (context_ != nullptr) runtime_->give_back(context_);
  }
  Context& context() { return *context_; }

 private:
  External(Runtime& runtime, Context* context) : runtime_(&runtime), context_(context) {}

  Runtime* runtime_;
  Context* context_;
};

}  // namespace baton::runtime
