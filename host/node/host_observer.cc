#include "node/host_observer.h"

#include "release/handler.h"
#include "term/text.h"

namespace baton::node {

namespace {
// A reason is shown in full in crash reports up to here.
constexpr std::size_t kReasonBytesMax = 4000;
}  // namespace

void HostObserver::crashed(baton_term pid, const code::Version& version, const char* behaviour,
                           baton_term reason) {
  crashes_.fetch_add(1, std::memory_order_relaxed);
  const std::string why = term::print(reason, atoms_, {.bytes = kReasonBytesMax});
  log_.write(LogLevel::kError, {version.module_name(), version.number(), term::print(pid, atoms_)},
             "process crashed", {{"behaviour", behaviour}, {"reason", why}});
  if (release::ReleaseHandler* handler = handler_.load())
    handler->note_crash(version.module_name(),
                        version.module_name() + ":" + behaviour + ": " + why);
}

void HostObserver::note_end(const std::string& application, const std::string& reason) {
  if (release::ReleaseHandler* handler = handler_.load()) handler->note_end(application, reason);
}

void HostObserver::log(int level, baton_term pid, const code::Version* version,
                       std::string_view text) {
  const auto known = static_cast<LogLevel>(
      std::clamp(level, static_cast<int>(LogLevel::kTrace), static_cast<int>(LogLevel::kCritical)));
  if (!log_.is_enabled(known)) return;
  if (version == nullptr) return log_.write(known, text);
  log_.write(known, {version->module_name(), version->number(), term::print(pid, atoms_)}, text);
}

}  // namespace baton::node
