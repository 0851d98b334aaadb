#include "runtime/boundary.h"

#include "base/check.h"
#include "runtime/timers.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace baton::runtime {

namespace {

// How long a claim waits for a host call under way to end.
constexpr std::uint64_t kClaimPatienceNs = 2'000'000;

long membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

}  // namespace

bool can_claim() {
  static const bool is_registered = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
  return is_registered;
}

void Boundary::hold() {
  BATON_CHECK(!is_held_, "a host call waits for claims once");
  // Waiting for the mutex it is where it was, and may be claimed.
  busy_.store(false, std::memory_order_release);
  mutex_.lock();
  busy_.store(true, std::memory_order_relaxed);
  is_held_ = true;
}

void Boundary::release() {
  BATON_CHECK(is_held_, "a host call that is not held ends by end_call");
  is_held_ = false;
  busy_.store(false, std::memory_order_release);
  mutex_.unlock();
}

Claim::Claim(Boundary& boundary, std::uint64_t place) : boundary_(boundary) {
  boundary_.mutex_.lock();
  boundary_.raise(kClaim);
  membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  const std::uint64_t start = now_ns();
  while (boundary_.busy_.load(std::memory_order_acquire)) {
    if (boundary_.place() != place || now_ns() - start > kClaimPatienceNs) return;
    std::this_thread::yield();
  }
  is_held_ = Boundary::is_inside(place) && boundary_.place() == place;
}

Claim::~Claim() {
  boundary_.clear(kClaim);
  boundary_.mutex_.unlock();
}

}  // namespace baton::runtime
