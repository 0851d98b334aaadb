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

void HostObserver::long_schedule(const runtime::LongSchedule& report) {
  using What = runtime::LongSchedule::What;
  struct Line {
    LogLevel level;
    const char* text;
  };
  const auto line_of = [](What what) -> Line {
    switch (what) {
      case What::kLong: return {LogLevel::kWarning, "long_schedule: a callback takes long"};
      case What::kStuck:
        return {LogLevel::kError, "a callback does not return; its scheduler goes on without it"};
      case What::kNoThread:
        return {
            LogLevel::kCritical,
            "a callback does not return, and there is no thread for its scheduler to go on with"};
      case What::kAbandoned:
        return {LogLevel::kError, "process killed while its callback does not return"};
      case What::kReturned: break;
    }
    return {LogLevel::kWarning, "long_schedule: the callback has returned"};
  };
  const Line line = line_of(report.what);
  const bool is_turn = report.pid != BATON_NO_TERM;
  log_.write(line.level,
             {report.module, report.version, is_turn ? term::print(report.pid, atoms_) : ""},
             line.text,
             {{"callback", is_turn ? report.behaviour + ":" + report.callback : report.callback},
              {"message", report.message},
              {"ms", std::to_string(report.age_ns / 1'000'000)}});
  // In probation it speaks against the release as a crash does.
  release::ReleaseHandler* handler = handler_.load();
  if (handler != nullptr && report.what == What::kStuck)
    handler->note_crash(report.module, "a callback does not return: " + report.text());
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
