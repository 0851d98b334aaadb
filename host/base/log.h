// Log: the host's structured log.
//
// One line per record: time, level, module, version and pid where there are any, text, and
// key=value pairs; as text for people or as JSON for collectors. Lines are written by a thread of
// the Log's own, so that a scheduler never waits for a disk or a terminal; when that thread falls
// behind by kLogQueueMax lines the oldest waiting ones are lost and counted.
//
// Invariants:
//   (1) write copies all it is given before it returns: a module may be unloaded right after.
//   (2) A record is one line: control characters in it are escaped, so no text can forge another
//       record.
// Ownership: owns its file and its thread; the clock must outlive it.
// Threads:   any thread.
// Fails:     open: the file cannot be written.
#pragma once

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

/// In the order and with the numbers of BATON_LOG_*.
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kCritical };

/// "trace" ... "critical".
const char* log_level_name(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view name);

enum class LogFormat { kText, kJson };

/// Lines that may wait for the writing thread.
inline constexpr std::size_t kLogQueueMax = 8192;
/// Bytes of one text or value that are kept; the rest is cut.
inline constexpr std::size_t kLogTextBytesMax = 16 * 1024;

struct LogField {
  std::string_view key;
  std::string_view value;
};

/// Where a record comes from; empty parts are left out of the line.
struct LogSource {
  std::string_view module;
  std::string_view version;
  std::string_view pid;
};

class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    std::string file;  // appended to; empty: standard error
  };
  static Result<std::unique_ptr<Log>> open(const Options& options, const Clock& clock);
  /// Writes what waits, then closes.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(LogLevel level);
  LogLevel level() const;
  bool is_enabled(LogLevel level) const { return level >= this->level(); }

  void write(LogLevel level, std::string_view text, std::initializer_list<LogField> fields = {}) {
    write(level, LogSource{}, text, fields);
  }
  void write(LogLevel level, const LogSource& source, std::string_view text,
             std::initializer_list<LogField> fields = {});

  /// A descriptor of what it writes to, for one who may not wait for its thread: a signal handler.
  int descriptor() const { return descriptor_.get(); }
  /// Waits until what was written before is in the file, a second at most: for one who ends the
  /// program without its destructors.
  void flush();
  /// Lines lost because the writing thread fell behind.
  std::uint64_t lost() const;

 private:
  struct Writer;
  Log(std::unique_ptr<Writer> writer, ScopedFd descriptor, const Options& options,
      const Clock& clock);

  // Constant after construction.
  const std::unique_ptr<Writer> writer_;
  const ScopedFd descriptor_;
  const LogFormat format_;
  const Clock& clock_;
  // Any thread.
  std::atomic<LogLevel> level_;
};

/// One record as the line that Log writes, without its end.
std::string format_log_line(LogFormat format, WallTime time, LogLevel level,
                            const LogSource& source, std::string_view text,
                            std::initializer_list<LogField> fields);

}  // namespace baton
