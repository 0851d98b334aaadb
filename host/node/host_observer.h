// HostObserver: writes crash reports and modules' lines to the log, and tells the probation of
// crashes.
//
// Threads: any scheduler, and the watch; see runtime/observer.h.
#pragma once

#include "base/log.h"
#include "runtime/observer.h"
#include "term/atom_table.h"

#include <atomic>

namespace baton::release {
class ReleaseHandler;
}

namespace baton::node {

class HostObserver : public runtime::Observer {
 public:
  HostObserver(Log& log, const term::AtomTable& atoms) : log_(log), atoms_(atoms) {}

  /// An application that ends the host by its type has ended.
  void note_end(const std::string& application, const std::string& reason);
  /// Set once the handler is there; cleared before it goes.
  void set_handler(release::ReleaseHandler* handler) { handler_.store(handler); }
  std::uint64_t crashes() const { return crashes_.load(std::memory_order_relaxed); }

  void crashed(baton_term pid, const code::Version& version, const char* behaviour,
               baton_term reason) override;
  void long_schedule(const runtime::LongSchedule& report) override;
  void log(int level, baton_term pid, const code::Version* version, std::string_view text) override;

 private:
  Log& log_;
  const term::AtomTable& atoms_;
  std::atomic<release::ReleaseHandler*> handler_{nullptr};
  std::atomic<std::uint64_t> crashes_{0};
};

}  // namespace baton::node
