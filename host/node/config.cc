#include "node/config.h"

#include "description/release_description.h"
#include "description/yaml.h"
#include "runtime/watch.h"

namespace baton::node {

namespace {

constexpr std::size_t kChannelsMax = 64;
constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{1} << 50;

using description::YamlMapping;
using description::YamlNode;

Result<std::uint64_t> read_format(const YamlNode& node) {
  BATON_ASSIGN(const std::uint64_t format, node.as_count(1, description::kSequenceMax));
  if (format > kConfigFormat)
    return node.error("this host reads formats up to " + std::to_string(kConfigFormat) +
                      ", the file is of format " + std::to_string(format) +
                      "; use the host that it was written for");
  return format;
}

Result<Log::Options> read_log(const YamlNode& node) {
  Log::Options options;
  YamlMapping log(node);
  log.word("level",
           {{"trace", LogLevel::kTrace},
            {"debug", LogLevel::kDebug},
            {"info", LogLevel::kInfo},
            {"warning", LogLevel::kWarning},
            {"error", LogLevel::kError},
            {"critical", LogLevel::kCritical}},
           options.level);
  log.word("format", {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}, options.format);
  log.text("file", options.file);
  BATON_TRY(log.finish());
  return options;
}

Result<std::string> read_admin(const YamlNode& node) {
  std::string socket;
  YamlMapping admin(node);
  admin.text("socket", socket);
  BATON_TRY(admin.finish());
  return socket;
}

Result<std::uint64_t> read_net(const YamlNode& node) {
  std::uint64_t memory_max = 0;
  YamlMapping net(node);
  net.bytes("memory_max", kMemoryBytesMax, memory_max);
  BATON_TRY(net.finish());
  return memory_max;
}

Result<runtime::LongScheduleLimits> read_callbacks(const YamlNode& node) {
  runtime::LongScheduleLimits limits;
  YamlMapping callbacks(node);
  for (const auto& [key, value] : {std::pair("long_schedule", &limits.long_schedule_ns),
                                   std::pair("stuck_after", &limits.stuck_after_ns),
                                   std::pair("kill_after", &limits.kill_after_ns)}) {
    std::chrono::nanoseconds time(*value);
    callbacks.duration(key, time);
    *value = static_cast<std::uint64_t>(time.count());
  }
  callbacks.count("abandoned_max", 1, runtime::kRunnersMax, limits.abandoned_max);
  BATON_TRY(callbacks.finish());
  if (limits.long_schedule_ns < runtime::kTickNs)
    return node.error("long_schedule must be 10ms at least: callbacks are looked at that often");
  if (limits.stuck_after_ns < limits.long_schedule_ns ||
      limits.kill_after_ns < limits.stuck_after_ns)
    return node.error(
        "long_schedule, stuck_after and kill_after must each be no less than the one before");
  return limits;
}

Result<std::chrono::nanoseconds> read_take_over(const YamlNode& node) {
  std::chrono::nanoseconds budget = Config().take_over_budget;
  YamlMapping take_over(node);
  take_over.duration("budget", budget);
  BATON_TRY(take_over.finish());
  if (budget <= std::chrono::nanoseconds(0))
    return node.error("the budget must be longer than nothing");
  return budget;
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file) {
  BATON_ASSIGN(const description::YamlDocument document,
               description::YamlDocument::parse(text, file));
  Config config;
  YamlMapping mapping(document.root());
  // First, so that it and not a key of a newer format is what is refused.
  std::uint64_t format = kConfigFormat;
  if (const YamlNode* said = mapping.optional("format")) mapping.take(read_format(*said), format);
  mapping.text("root", config.root);
  mapping.count("schedulers", 0, runtime::kSchedulersMax, config.schedulers);
  if (const YamlNode* log = mapping.optional("log")) mapping.take(read_log(*log), config.log);
  if (const YamlNode* admin = mapping.optional("admin"))
    mapping.take(read_admin(*admin), config.socket);
  mapping.list("channels", kChannelsMax, config.channels,
               [](const YamlNode& node) { return node.as_text(); });
  if (const YamlNode* net = mapping.optional("net"))
    mapping.take(read_net(*net), config.memory_max);
  if (const YamlNode* take_over = mapping.optional("take_over"))
    mapping.take(read_take_over(*take_over), config.take_over_budget);
  if (const YamlNode* callbacks = mapping.optional("callbacks"))
    mapping.take(read_callbacks(*callbacks), config.limits);
  mapping.duration("stop_timeout", config.stop_timeout);
  BATON_TRY(mapping.finish());
  if (config.stop_timeout <= std::chrono::nanoseconds(0))
    return document.root().error("stop_timeout must be longer than nothing");
  if (config.root.empty()) return document.root().error("root must name a directory");
  return config;
}

Result<Config> read_config(Files& files, const std::string& file) {
  BATON_ASSIGN(const std::string text, read_file(files, file, description::kYamlBytesMax));
  return parse_config(text, file);
}

}  // namespace baton::node
