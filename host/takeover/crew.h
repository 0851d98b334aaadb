// Crew: threads that do one piece of work together, as often as they are asked to, all there before
// the first.
//
// A commit must not fail: what it needs is made in prepare, the threads included. They wait between
// two pieces of work. They are runners (runtime/errand.h), so that one whose hook does not return
// can be left: it counts as done then.
//
// Ownership: its keeper's, who lives as long as a member works.
// Threads:   run: the owner's; leave_stuck, dismiss: any other; the work runs on all at once.
// Fails:     where there are no threads there are fewer members; the owner always is one of them.
#pragma once

#include "runtime/errand.h"
#include "runtime/runtime.h"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace baton::takeover {

class Crew {
 public:
  /// What the work needs, this crew included: lives as long as a member is in it.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    /// Code that the work is in was left: whatever it needs is to stay.
    virtual void pin() = 0;
    /// It has returned. In the context of its thread.
    virtual void unpin(runtime::Context& context) = 0;
  };

  Crew() = default;
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Takes in members until there are so many, the owner included, or no runner is left to lend.
  /// Requires: none before.
  void hire(runtime::Runtime& runtime, std::size_t size, const std::shared_ptr<Keeper>& keeper);
  /// The owner's.
  std::size_t size() const { return members_.size() + 1; }
  using Call = void (*)(void* work, runtime::Context&, std::size_t number);
  /// Calls it on each with its number, 0 being the owner's, whose context is `own`; returns when
  /// all are done or left. It allocates nothing and cannot fail. `work` is the keeper's, as one
  /// that is left goes on with it.
  void run(runtime::Context& own, Call call, void* work);

  /// Leaves those that are inside a hook that does not return; the hooks' processes are added to
  /// `processes`. True: no other is at work, but for the owner. Requires: of the round under way
  /// nothing is needed any more but that it ends.
  bool leave_stuck(std::vector<baton_term>& processes);
  /// No work comes any more: those that wait go.
  void dismiss();

 private:
  class Member;
  /// A member's thread, until it is dismissed or was left.
  void serve(runtime::Context& context, Member& member);

  std::mutex mutex_;  // before an errand's
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Member>> members_;  // changed by the owner under mutex_
  // Guarded by mutex_.
  Call call_ = nullptr;
  void* work_ = nullptr;
  std::size_t round_ = 0;    // of work, counted from 1
  std::size_t working_ = 0;  // that are neither done with it nor left
  bool is_over_ = false;
};

}  // namespace baton::takeover
