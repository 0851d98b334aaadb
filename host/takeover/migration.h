// Migration: the parked processes of a group, and the passes of a take-over over them.
//
// gather() lists them from the versions' indices; prepare() makes every new object; commit() puts
// them in place. The last two run on several threads over chunks of the list, with the objects a
// few places ahead prefetched: on a scattered heap the walk is bound by memory. For the same reason
// the list is made present by reserve(), before anybody waits: its page faults alone took half of
// the pause.
//
// Invariants:
//   (1) Between gather and the end of commit the processes are parked: this object owns them.
//   (2) Until commit nothing that a process can see has changed, but for what a loss that was
//       accepted gives up: that is the last part of prepare, which can only come too late. abort
//       frees what was prepared.
//   (3) A thread whose hook was left (runtime/errand.h) touches neither its process nor anything
//       that the others may have freed meanwhile, and frees what it made itself.
// (1) is checked when they are gathered, (2) where abort and commit begin. (3) is what the tests of
// hooks that do not return are for, under the sanitizers too.
// Threads: one thread drives it, in its context, the same all along; its crew works inside prepare
//          and commit.
#pragma once

#include "takeover/crew.h"
#include "takeover/crossing.h"
#include "takeover/mail_mover.h"
#include "takeover/mail_swap.h"
#include "takeover/takeover.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace baton::takeover {

/// Kinds of losses that one refusal tells apart; what else there is has one number.
inline constexpr std::size_t kLossKindsMax = 8;

class Migration {
 public:
  Migration(runtime::Runtime& runtime, std::vector<Change> changes, const TakeoverOptions& options);
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  /// A mover for each behaviour. kRefused: a state cannot cross. Before any drain.
  Result<void> plan();
  /// Its parked objects are returned to instead of making new ones, where that can be done and
  /// process and state are still those that it knows. After plan, before any drain; it must outlive
  /// this.
  void offer(const WayBack& way_back);
  /// Room for the list and in the new versions' indices, and threads, which keep `keeper` alive.
  /// After plan, before any drain.
  void reserve(const std::shared_ptr<Crew::Keeper>& keeper);
  /// Those of `left_behind` stay as they are. Requires: all others of the changes' versions are
  /// parked.
  void gather(const std::vector<baton_term>& left_behind);
  /// kFailed: of one process, which is named; kTimedOut; kRefused: something would be lost.
  Result<void> prepare(runtime::Context& own, std::uint64_t deadline_ns);
  /// Cannot fail. Calls `flip` between the states and the indices.
  void commit(runtime::Context& own, const std::function<void()>& flip);
  /// Frees what was prepared. Instead of commit, when the processes were released.
  void abort(runtime::Context& own);

  const std::vector<Route>& routes() const { return routes_; }
  const std::vector<Crossing>& crossings() const { return crossings_; }
  TakeoverReport& report() { return report_; }

  // For whoever waits for it, from any other thread.
  /// Prepare fails, as its time is over.
  void fail_late();
  /// Nobody who starts a process makes room for it in the new versions any more. Once; what comes
  /// later does nothing.
  void drop_heirs();
  Crew& crew() { return crew_; }

  /// Frees the mail that was replaced, or was not put in place; tells who asked for what was
  /// dropped. After a commit only when the processes were released.
  void settle_mail(runtime::Context& own);
  /// All that the way back needs. After commit.
  void move_into(WayBack& way_back);

 private:
  // What gather found in one shard of one change's old version.
  struct Share {
    const Change* change;
    std::uint32_t shard;
    std::size_t count;       // of those that go over
    bool is_all;             // nobody stays
    std::uint64_t acquired;  // of the shard, when it was gathered
    std::uint64_t released;
  };

  /// Null: it does not cross.
  const Route* route_of(const runtime::Process& process) const;
  void gather(const Change& change, std::uint32_t shard);
  Crossing crossing_of(runtime::Process& process, const Route& route) const;
  const StateMover& mover_of(const Crossing& crossing) const;
  /// The mail of a crossing process that waits; the same.
  bool prepare_mail(const Crossing& crossing, runtime::Context& context, std::size_t thread);
  /// What timers hold for crossing processes.
  void prepare_timers(runtime::Context& own);
  void prepare_timer(runtime::Context& own, runtime::Timers& timers, baton_term ref,
                     const runtime::Message& message, const MailMover& mover);
  /// The route of whom a timer's message is for; null: nobody who crosses.
  const Route* route_to(baton_term receiver) const;
  /// "2 of cast say (the value of ...)".
  static std::string describe(const std::map<std::string, std::uint64_t>& counts);
  /// Why prepare failed.
  Error failure();
  /// False: it failed, and so has the take-over.
  bool prepare(Crossing& crossing, runtime::Context& context);
  bool make(Crossing& crossing, runtime::Context& context);
  /// False: the module cannot count it; the text says why.
  bool count_loss(const Crossing& crossing, runtime::Context& context);
  /// False.
  bool fail(const Crossing& crossing, std::string_view why);
  void reindex(const Share& share);
  std::uint64_t reindex_each(const Change& change, code::Version::Shard& from,
                             code::Version::Shard& to);
  void prefetch_ahead(std::size_t i, std::size_t end, bool slots) const;
  void prepare_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                     std::size_t thread);
  void discard_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                     std::size_t thread);
  void commit_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                    std::size_t thread);
  /// Calls it for every chunk of the crossings, on all threads of the crew.
  template <auto kWork>
  void in_parallel(runtime::Context& own);

  runtime::Runtime& runtime_;
  const std::vector<Change> changes_;
  const TakeoverOptions options_;
  std::vector<std::unique_ptr<const StateMover>> movers_;
  std::vector<Route> routes_;
  std::vector<std::unique_ptr<const MailMover>> mail_movers_;  // of each route, or null: mail stays
  bool moves_mail_ = false;                                    // one of them is not null
  bool discards_ = false;                                      // one of movers_ does
  std::vector<baton_term> left_behind_;
  std::vector<Share> shares_;
  std::vector<Crossing> crossings_;
  const WayBack* offer_ = nullptr;
  std::vector<const StateMover*>
      returns_;  // of each route: the mover of offer_ whose objects fit, or null
  boost::unordered_flat_map<std::uint32_t, std::uint32_t>
      offered_;  // slot index -> place in offer_'s list
  bool is_committed_ = false;
  std::atomic<bool> has_heirs_{false};
  TakeoverReport report_;
  Crew crew_;
  std::atomic<std::size_t> next_chunk_{0};
  std::uint64_t deadline_ns_ = 0;  // of prepare
  /// What a thread of prepare made.
  struct MovedMail {
    std::vector<MailSwap> swaps;
    MailCount count;
  };
  std::vector<MovedMail> mail_;  // one for each thread
  struct TimerSwap {
    runtime::Timers* timers;
    baton_term ref;
    runtime::Message* message;  // that the timer does not have: before commit the new one
    bool is_dropped;
  };
  std::vector<TimerSwap> timers_;

  std::atomic<bool> has_failed_{false};
  std::atomic<bool> has_losses_{false};
  std::atomic<std::uint64_t> discarded_{0};  // states that gave up what was accepted
  std::mutex mutex_;
  Code failure_code_ = Code::kFailed;          // guarded by mutex_
  std::string failure_;                        // guarded by mutex_
  std::map<std::string, std::uint64_t> lost_;  // by what they are; guarded by mutex_
};

}  // namespace baton::takeover
