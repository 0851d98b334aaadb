// Boundary: where a runner crosses from host code into module code and back, so that another
// thread can act in its place while a callback does not return (watch.h).
//
// In module code a runner touches nothing of its scheduler's and of its process's. So whoever can
// be sure that it stays there, and waits at its next step out, may touch them as it would: he has a
// claim on it. The runner's steps cost it plain stores and a load; the claimant pays, with a
// barrier of the system call membarrier in every thread.
//
//   the runner                                     the claimant
//   into module code: place + 1 (release)          0. the runner's mutex
//   out of it, or into a host call:                1. summons |= kClaim
//     1. place + 1, or busy = 1 (relaxed)          2. membarrier
//     2. no instruction: compilers keep the order  3. busy (acquire): wait until 0, for a while;
//     3. summons (acquire): 0, go on                place (acquire): the one that was seen?
//     4. else: busy = 0, the mutex, busy = 1       4. yes: acts. No: it has moved on, no claim
//   back into module code: busy = 0 (release)      5. summons &= ~kClaim (release), the mutex
//
// It excludes: membarrier puts a full fence into each running thread. If the runner's store 1 lies
// before it, the claimant sees that at 3 and does not act. Else the runner's load 3 lies behind it,
// sees the claim, and waits at 4. Without a race: what the runner wrote before it entered reaches
// the claimant by place or busy (release, acquire); what the claimant wrote reaches the runner by
// the mutex, or by summons.
//
// A runner whose scheduler was taken away stays kExiled: its host calls are made under its mutex,
// so that a claimant can act between any two.
//
// Host code that runs as a callback (kHostCode) crosses no boundary: nobody claims it.
//
// Threads: as said per member.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

namespace baton::runtime {

enum Summons : std::uint8_t {
  kClaim = 1,  // somebody claims the runner now
  kExiled = 2,
  kEpoch = 4,  // the turn is to end, so that the scheduler can follow the runtime's epoch
  kLook = 8,   // and so that it looks at its sockets and timers, as it has not for long
};
/// Those for which a host call waits.
inline constexpr std::uint8_t kHold = std::uint8_t{kClaim} | std::uint8_t{kExiled};

class Boundary {
 public:
  // The runner's.

  /// Into module code; what leave wants.
  std::uint64_t enter() {
    const std::uint64_t inside = place_.load(std::memory_order_relaxed) + step_;
    place_.store(inside, std::memory_order_release);
    return inside;
  }
  /// Out of it. What somebody wants, then: see Context::leave_slowly; 0: nothing.
  std::uint8_t leave(std::uint64_t inside) {
    place_.store(inside + step_, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return summons_.load(std::memory_order_acquire);
  }
  /// Whether code of a module is on the stack.
  bool is_inside() const { return is_inside(place_.load(std::memory_order_relaxed)); }
  /// Whether that code is what runs, and not a host call of it.
  bool is_in_module() const { return is_inside() && !busy_.load(std::memory_order_relaxed); }
  /// Whether the callbacks from here on are host code, and cross nothing.
  void set_host_code(bool is_host_code) { step_ = is_host_code ? 0 : 1; }

  /// A host call begins. Unless may_go_on, it goes on with hold.
  void begin_call() {
    busy_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  bool may_go_on() const {
    return __builtin_expect((summons_.load(std::memory_order_acquire) & kHold) == 0, 1);
  }
  void end_call() { busy_.store(is_nested_, std::memory_order_release); }
  /// Waits for the mutex and keeps it until release.
  void hold();
  void release();
  /// Calls until end_nesting are parts of the one under way. Whether they were already.
  bool begin_nesting() { return std::exchange(is_nested_, true); }
  void end_nesting(bool were_nested) { is_nested_ = were_nested; }
  /// The host call under way goes back into module code for a while, and comes from it.
  void open_window() {
    is_nested_ = false;
    is_held_ ? release() : end_call();
  }
  void close_window() {
    begin_call();
    if (!may_go_on()) hold();
    is_nested_ = true;
  }
  bool is_held() const { return is_held_; }
  /// Out of module code, behind whoever has a claim.
  void wait_for_claim() { std::lock_guard lock(mutex_); }

  // Anybody's.

  std::uint64_t place() const { return place_.load(std::memory_order_acquire); }
  static bool is_inside(std::uint64_t place) { return (place & 1) != 0; }
  std::uint8_t summons() const { return summons_.load(std::memory_order_acquire); }
  void raise(Summons what) { summons_.fetch_or(what, std::memory_order_acq_rel); }
  void clear(Summons what) {
    summons_.fetch_and(static_cast<std::uint8_t>(~what), std::memory_order_acq_rel);
  }

 private:
  friend class Claim;

  // Written by the runner alone, read by anybody.
  std::atomic<std::uint64_t> place_{0};  // odd: in module code. Each callback has its own
  std::uint64_t step_ = 1;               // of place_; 0: host code. Read by the runner alone
  std::atomic<bool> busy_{false};        // in host code although place is odd
  // Written by anybody.
  std::atomic<std::uint8_t> summons_{0};
  // The runner's own.
  bool is_nested_ = false;
  bool is_held_ = false;  // its host call is made under the mutex
  std::mutex mutex_;
};

/// The right to act in a runner's place, for as long as this lives. Requires: can_claim. Threads:
/// any but the runner's own; no lock is held that a host call may want.
class Claim {
 public:
  /// As it stands in module code at `place`; is_held says whether it still did.
  Claim(Boundary& boundary, std::uint64_t place);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  bool is_held() const { return is_held_; }

 private:
  Boundary& boundary_;
  bool is_held_ = false;
};

/// Whether this system has what a claim needs. Asks it on the first call. Any thread.
bool can_claim();

}  // namespace baton::runtime
