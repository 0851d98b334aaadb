#include "base/log.h"

#include "base/utf8.h"

#include <fcntl.h>
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace baton {

namespace {

constexpr const char* kLevelNames[] = {"trace", "debug", "info", "warning", "error", "critical"};

constexpr spdlog::level::level_enum kSpdlogLevels[] = {
    spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
    spdlog::level::warn,  spdlog::level::err,   spdlog::level::critical};

void append_escape(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u00";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

/// The text with control characters, invalid bytes and, where asked, quotes and backslashes escaped
/// as in JSON.
void append_escaped(std::string& out, std::string_view text, bool in_quotes) {
  const std::size_t kept = std::min(text.size(), kLogTextBytesMax);
  for (std::size_t at = 0; at < kept;) {
    const std::size_t size = utf8_character(text.substr(at));
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    if (size == 0) {
      out += "\xef\xbf\xbd";  // the replacement character
      ++at;
    } else if (byte == '\n') {
      out += "\\n";
      ++at;
    } else if (is_control(text.substr(at, size))) {
      append_escape(out, static_cast<unsigned char>(text[at + size - 1]));
      at += size;
    } else if (in_quotes && (byte == '"' || byte == '\\')) {
      out += '\\';
      out += text[at++];
    } else {
      out.append(text.substr(at, size));
      at += size;
    }
  }
  if (kept < text.size()) out += "...";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, true);
  out += '"';
}

/// A value of the text form: bare where that cannot be misread.
void append_value(std::string& out, std::string_view value) {
  const bool bare = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
  if (bare)
    append_escaped(out, value, false);
  else
    append_quoted(out, value);
}

std::string text_line(WallTime time, LogLevel level, const LogSource& source, std::string_view text,
                      std::initializer_list<LogField> fields) {
  std::string line = format_time(time) + " " + log_level_name(level) + " ";
  append_escaped(line, text, false);
  auto add = [&](std::string_view key, std::string_view value) {
    line += ' ';
    append_escaped(line, key, false);
    line += '=';
    append_value(line, value);
  };
  if (!source.module.empty()) add("module", source.module);
  if (!source.version.empty()) add("version", source.version);
  if (!source.pid.empty()) add("pid", source.pid);
  for (const LogField& field : fields) add(field.key, field.value);
  return line;
}

std::string json_line(WallTime time, LogLevel level, const LogSource& source, std::string_view text,
                      std::initializer_list<LogField> fields) {
  std::string line = "{";
  auto add = [&](std::string_view key, std::string_view value) {
    if (line.size() > 1) line += ',';
    append_quoted(line, key);
    line += ':';
    append_quoted(line, value);
  };
  add("time", format_time(time));
  add("level", log_level_name(level));
  if (!source.module.empty()) add("module", source.module);
  if (!source.version.empty()) add("version", source.version);
  if (!source.pid.empty()) add("pid", source.pid);
  add("text", text);
  for (const LogField& field : fields) add(field.key, field.value);
  return line + "}";
}

}  // namespace

const char* log_level_name(LogLevel level) { return kLevelNames[static_cast<int>(level)]; }

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i)
    if (name == kLevelNames[i]) return static_cast<LogLevel>(i);
  return std::nullopt;
}

std::string format_log_line(LogFormat format, WallTime time, LogLevel level,
                            const LogSource& source, std::string_view text,
                            std::initializer_list<LogField> fields) {
  return format == LogFormat::kJson ? json_line(time, level, source, text, fields)
                                    : text_line(time, level, source, text, fields);
}

struct Log::Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Result<std::unique_ptr<Log>> Log::open(const Options& options, const Clock& clock) {
  try {
    auto writer = std::make_unique<Writer>();
    spdlog::sink_ptr sink;
    if (options.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    writer->pool = std::make_shared<spdlog::details::thread_pool>(kLogQueueMax, 1);
    writer->logger = std::make_shared<spdlog::async_logger>(
        "baton", sink, writer->pool, spdlog::async_overflow_policy::overrun_oldest);
    writer->logger->set_pattern("%v", spdlog::pattern_time_type::utc);
    writer->logger->set_level(spdlog::level::trace);  // Log::write has decided already
    writer->logger->flush_on(spdlog::level::info);
    // A log that cannot be written (a full disk) must not end the host or flood its standard error.
    writer->logger->set_error_handler([](const std::string&) {});
    ScopedFd descriptor(options.file.empty() ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
                                             : ::open(options.file.c_str(),
                                                      O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
    return std::unique_ptr<Log>(new Log(std::move(writer), std::move(descriptor), options, clock));
  } catch (const std::exception& e) {
    return Error(Code::kFailed, "cannot write the log " + options.file + ": " + e.what());
  }
}

Log::Log(std::unique_ptr<Writer> writer, ScopedFd descriptor, const Options& options,
         const Clock& clock)
    : writer_(std::move(writer)),
      descriptor_(std::move(descriptor)),
      format_(options.format),
      clock_(clock),
      level_(options.level) {}

Log::~Log() = default;

void Log::set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
LogLevel Log::level() const { return level_.load(std::memory_order_relaxed); }

void Log::write(LogLevel level, const LogSource& source, std::string_view text,
                std::initializer_list<LogField> fields) {
  if (!is_enabled(level)) return;
  const std::string line = format_log_line(format_, clock_.wall(), level, source, text, fields);
  writer_->logger->log(kSpdlogLevels[static_cast<int>(level)], spdlog::string_view_t(line));
}

void Log::flush() {
  // Its thread has written all that came before once it takes this up.
  writer_->logger->flush();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (writer_->pool->queue_size() != 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::uint64_t Log::lost() const { return writer_->pool->overrun_counter(); }

}  // namespace baton
