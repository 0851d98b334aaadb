#include "node/crashes.h"

#include "base/crash.h"

namespace baton::node {

namespace {

constexpr std::uint32_t kDirectoryMode = 0750;
constexpr std::uint64_t kFileBytesMax = 64 * 1024;
constexpr std::string_view kToldEnd = ".crash";
constexpr std::string_view kFormatKey = "baton-crash";

// By their names those of crashes come in the order of time.
Result<std::vector<std::string>> files_in(Files& files, const std::string& directory) {
  BATON_ASSIGN(std::vector<std::string> names, files.list_directory(directory));
  std::erase_if(names, [](const std::string& name) {
    return !name.ends_with(kNewCrashEnd) && !name.ends_with(kToldEnd);
  });
  return names;
}

void tell(Log& log, const Crash& crash) {
  log.write(LogLevel::kCritical,
            {crash.fact("module"), crash.fact("version"), crash.fact("process")},
            "the host died of a signal before this start",
            {{"signal", crash.fact("signal")},
             {"at", crash.fact("at")},
             {"callback", crash.fact("callback")},
             {"message", crash.fact("message")},
             {"frame", crash.frames.empty() ? "" : crash.frames.front()},
             {"report", crash.file},
             {"trouble", crash.trouble}});
}

}  // namespace

std::string Crash::fact(std::string_view key) const {
  for (const auto& [known, value] : facts)
    if (known == key) return value;
  return {};
}

Crash parse_crash(const std::string& file, std::string_view text) {
  Crash crash{file, {}, {}, {}};
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) break;  // the host ended while it wrote
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const std::size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    const std::string key(line.substr(0, colon)), value(line.substr(colon + 2));
    if (key == "frame")
      crash.frames.push_back(value);
    else
      crash.facts.emplace_back(key, value);
  }
  const std::string format = crash.fact(kFormatKey);
  if (format == std::to_string(kCrashFormat)) return crash;
  return {file,
          {},
          {},
          format.empty() ? "it is no report of a crash"
                         : "it is of format " + format + ", and this host reads " +
                               std::to_string(kCrashFormat)};
}

Crash Crashes::read(const std::string& file) const {
  const auto text = read_file(files_, directory_ + "/" + file, kFileBytesMax);
  if (!text.ok()) return {file, {}, {}, text.error().message()};
  return parse_crash(file, *text);
}

Result<void> Crashes::begin(Log& log) {
  BATON_TRY(make_directories(files_, directory_, kDirectoryMode));
  BATON_ASSIGN(std::vector<std::string> names, files_in(files_, directory_));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string path = directory_ + "/" + names[i];
    const bool is_new = names[i].ends_with(kNewCrashEnd);
    if (is_new) tell(log, read(names[i]));
    if (i + kCrashesKept < names.size()) {
      BATON_TRY(files_.remove_file(path));
    } else if (is_new) {
      const std::string stem = path.substr(0, path.size() - kNewCrashEnd.size());
      BATON_TRY(files_.rename(path, stem + std::string(kToldEnd)));
    }
  }
  return {};
}

Result<std::vector<Crash>> Crashes::list() const {
  BATON_ASSIGN(const std::vector<std::string> names, files_in(files_, directory_));
  std::vector<Crash> crashes;
  for (auto name = names.rbegin(); name != names.rend(); ++name) crashes.push_back(read(*name));
  return crashes;
}

}  // namespace baton::node
