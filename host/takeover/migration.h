// Migration: the parked processes of a group, and the two passes of a take-over over them.
//
// gather() lists them from the versions' indices; prepare() makes every new object; commit() puts them in place. The
// passes run on several threads over chunks of the list, with the objects a few places ahead prefetched: on a
// scattered heap the walk is bound by memory.
//
// Invariants:
//   (1) Between gather and the end of commit the processes are parked: this object owns them.
//   (2) Until commit nothing that a process can see has changed; the destructor frees what was prepared.
// Threads: one thread drives it; its own threads work inside prepare and commit.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "takeover/takeover.h"

namespace baton::takeover {

/// Kinds of losses that one refusal tells apart; what else there is has one number.
inline constexpr std::size_t kLossKindsMax = 8;

class Migration {
 public:
  /// A parked object to return to, instead of making a new one.
  struct Return {
    const StateMover* mover;
    void* object;
    void* successor;
  };
  struct Item {
    runtime::Process* process;
    std::uint32_t generation;
    const baton_behaviour* to;
    const StateMover* mover;  // null: no state crosses (adopted, or not started yet)
    void* old_state;
    void* made;
    bool is_return;  // `made` is a parked object of an earlier take-over, and `mover` that one's
    const StateMover* loser;  // says what is lost on the way; null with `mover`
  };

  Migration(runtime::Runtime& runtime, std::vector<Change> changes);
  ~Migration();
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  /// Compares the schemas of all behaviours. kRefused: a state cannot cross. Before any drain.
  Result<void> plan();
  /// Parked objects by slot index, looked at when `generation` and state fit. Before any drain.
  void offer(std::uint32_t process, std::uint32_t generation, Return parked);
  /// Requires: all processes of the changes' versions are parked.
  void gather();
  /// kFailed: of one process, which is named; kTimedOut; kRefused: something would be lost.
  Result<void> prepare(const TakeoverOptions& options, std::uint64_t deadline_ns);
  /// Cannot fail. Calls `flip` between the states and the indices.
  void commit(const TakeoverOptions& options, const std::function<void()>& flip);

  const std::vector<Item>& items() const { return items_; }
  std::vector<std::unique_ptr<const StateMover>> take_movers() { return std::move(movers_); }
  TakeoverReport& report() { return report_; }

 private:
  struct Route {  // of one behaviour of one changed module
    const baton_behaviour* from;
    const baton_behaviour* to;  // null: the processes stay behind
    const StateMover* mover;    // null: adopted
    code::Version* to_version;
  };
  struct Offer {
    std::uint32_t generation;
    Return parked;
  };

  const Route* route_of(const runtime::Process& process) const;
  void prepare_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                     const TakeoverOptions& options);
  bool prepare_item(Item& item, runtime::Context& context);
  /// False: the module cannot count it; the text says why.
  bool count_loss(const Item& item, baton_error& error);
  /// "2 of keys with an expiry and 1 of order notes".
  std::string describe_losses() const;
  void fail(const runtime::Process& process, const std::string& why);
  void fail_late(const TakeoverOptions& options);
  void reindex(const Change& change);
  template <class Work>
  void in_parallel(std::uint32_t threads, Work work);

  runtime::Runtime& runtime_;
  std::vector<Change> changes_;
  std::vector<std::unique_ptr<const StateMover>> movers_;
  std::vector<Route> routes_;
  boost::unordered_flat_map<std::uint32_t, Offer> offers_;
  std::vector<Item> items_;
  bool is_committed_ = false;
  TakeoverReport report_;

  std::atomic<bool> has_failed_{false};
  std::atomic<bool> has_losses_{false};
  std::mutex mutex_;
  Code failure_code_ = Code::kFailed;  // guarded by mutex_
  std::string failure_;                // guarded by mutex_
  std::map<std::string, std::uint64_t> lost_;  // by what they are; guarded by mutex_
};

}  // namespace baton::takeover
