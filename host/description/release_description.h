// ReleaseDescription: what a release consists of and how it is to run, as its author wrote it in
// YAML.
//
// The source is a file in releases/ (the format stands in releases/README.md); `baton pack` carries
// it into the bundle's manifest, and the release handler acts on it: it starts the applications,
// opens the listeners, and on an upgrade applies the difference to what runs. Plain data, equal
// when it means the same.
//
// Invariants, checked by reading and relied on afterwards:
//   (1) Every child's module is in `modules`; ids are distinct within a supervisor, registered
//       names and listener names within the release. All listeners can be bound at once.
//   (2) A simple_one_for_one supervisor has exactly one child, without a registered name.
//   (3) `significant` stands only where OTP allows it.
// Threads: value types.
// Fails:   kUsage, naming file, line, column, key and cure.
#pragma once

#include "base/result.h"
#include "description/yaml.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::description {

inline constexpr std::size_t kNameBytesMax = 64;
inline constexpr std::size_t kVersionBytesMax = 64;
inline constexpr std::size_t kModulesMax = 1000;
inline constexpr std::size_t kApplicationsMax = 1000;
inline constexpr std::size_t kListenersMax = 1000;
inline constexpr std::size_t kChildrenMax = 10'000;  // of one supervisor
inline constexpr std::size_t kEnvMax = 10'000;       // of one application
inline constexpr std::size_t kHealthChecksMax = 100;
/// 2^63 and above are refused: some reader of the number will take it for negative.
inline constexpr std::uint64_t kSequenceMax = (std::uint64_t{1} << 63) - 1;

/// Lower-case letters, digits and underscores, a letter first: so that NAME-VERSION splits one way
/// only.
bool is_name(std::string_view text);
/// Letters, digits, and . + - after a first digit: "1.0.0", "1.2.0-rc1".
bool is_version(std::string_view text);

struct ModuleReference {
  std::string name;
  std::string version;
  friend bool operator==(const ModuleReference&, const ModuleReference&) = default;
};

enum class Strategy { kOneForOne, kOneForAll, kRestForOne, kSimpleOneForOne };
enum class RestartType { kPermanent, kTransient, kTemporary };
enum class AutoShutdown { kNever, kAnySignificant, kAllSignificant };
enum class ChildType { kWorker, kSupervisor };
enum class ApplicationType { kPermanent, kTransient, kTemporary };

const char* strategy_name(Strategy strategy);
const char* restart_type_name(RestartType type);
const char* auto_shutdown_name(AutoShutdown shutdown);
const char* application_type_name(ApplicationType type);

struct Shutdown {
  enum class Kind { kBrutalKill, kTimeout, kInfinity };
  Kind kind = Kind::kTimeout;
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
  friend bool operator==(const Shutdown&, const Shutdown&) = default;
};

struct ChildDescription;

struct SupervisorDescription {
  Strategy strategy = Strategy::kOneForOne;
  std::uint32_t intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds(5);
  AutoShutdown auto_shutdown = AutoShutdown::kNever;
  std::string name;  // registered; empty: none
  std::vector<ChildDescription> children;
  bool operator==(const SupervisorDescription& other) const;
};

struct ChildDescription {
  std::string id;
  ChildType type = ChildType::kWorker;
  std::string module;       // of a worker
  std::string behaviour;    // of a worker
  std::string args = "[]";  // of a worker: Erlang term text, given to init
  std::string name;         // of a worker: registered; empty: none
  RestartType restart = RestartType::kPermanent;
  Shutdown shutdown;  // a supervisor's default is infinity
  bool significant = false;
  SupervisorDescription supervisor;  // of a supervisor
  friend bool operator==(const ChildDescription&, const ChildDescription&) = default;
};

struct EnvEntry {
  std::string key;
  std::string term;  // the value as Erlang term text
  friend bool operator==(const EnvEntry&, const EnvEntry&) = default;
};

struct ApplicationDescription {
  std::string name;
  ApplicationType type = ApplicationType::kPermanent;
  std::vector<EnvEntry> env;  // by their keys, which are distinct
  SupervisorDescription supervisor;
  friend bool operator==(const ApplicationDescription&, const ApplicationDescription&) = default;
};

enum class Protocol { kTcp, kHttp };
const char* protocol_name(Protocol protocol);

/// HOST:PORT with a literal IPv4 or bracketed IPv6 address.
struct Address {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string text() const;
  static Result<Address> parse(std::string_view text);
  friend bool operator==(const Address&, const Address&) = default;
};
/// Whether one cannot be bound while the other is. [::] takes all of IPv4 too, as the host leaves
/// that on.
bool excludes(const Address& a, const Address& b);

inline constexpr std::uint64_t kMemoryBytesMax = std::uint64_t{1} << 50;
/// Of an http listener whose description says nothing else.
inline constexpr std::chrono::seconds kHttpIdleTimeout{60};

struct ListenerDescription {
  std::string name;
  Protocol protocol = Protocol::kTcp;
  Address address;  // port 0: the system picks one
  std::uint32_t backlog = 1024;
  std::uint32_t connections_max = 10'000;
  std::chrono::nanoseconds idle_timeout{0};  // 0: none
  std::uint64_t memory_max = 0;  // of what its connections hold; 0: a share of the host's
  std::uint64_t header_bytes_max = 64 * 1024;                           // http
  std::uint64_t body_bytes_max = 8 * 1024 * 1024;                       // http
  std::chrono::nanoseconds request_timeout = std::chrono::seconds(30);  // http: to read one whole
  friend bool operator==(const ListenerDescription&, const ListenerDescription&) = default;
};

struct HealthCheck {
  std::string listener;  // of this release; or empty, and `address` says where
  Address address;
  /// tcp: it accepts a connection; http: GET path answers status.
  Protocol protocol = Protocol::kTcp;
  std::string path = "/";
  std::uint32_t status = 200;
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
  std::uint32_t failures = 3;  // in a row, until it counts
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

enum class WhenInconclusive { kPause, kRollBack };
/// Of mail that no form of the version that is entered can be made of, and of a broken contract.
enum class MailPolicy { kRefuse, kDrop, kDeliver };

struct ProbationDescription {
  std::chrono::nanoseconds duration = std::chrono::minutes(1);
  std::vector<HealthCheck> health;
  std::uint32_t crashes_max = 5;  // of processes, within crash_period
  std::chrono::nanoseconds crash_period = std::chrono::seconds(10);
  std::uint64_t min_samples = 0;  // of the new versions (runtime/sample.h); fewer is inconclusive
  WhenInconclusive when_inconclusive = WhenInconclusive::kPause;
  bool accept_loss = false;  // an automatic rollback may lose what the old release cannot keep
  friend bool operator==(const ProbationDescription&, const ProbationDescription&) = default;
};

struct ReleaseDescription {
  std::string name;
  std::string version;
  std::uint64_t sequence = 0;
  std::string channel = "stable";
  std::string description;
  std::string host_min;  // versions of the host that may run it; empty: any
  std::string host_max;
  std::vector<std::string> upgrade_from;  // versions; empty: any
  bool one_way = false;  // states may change so that nothing leads back to the release before
  MailPolicy mail = MailPolicy::kRefuse;
  std::vector<ModuleReference> modules;
  std::vector<ApplicationDescription> applications;  // in the order they start
  std::vector<ListenerDescription> listeners;
  ProbationDescription probation;

  const ModuleReference* module(std::string_view name_wanted) const;
  const ListenerDescription* listener(std::string_view name_wanted) const;
  friend bool operator==(const ReleaseDescription&, const ReleaseDescription&) = default;
};

/// Reads and checks a description; `file` stands for the text in errors.
Result<ReleaseDescription> parse_release(std::string_view text, const std::string& file);
/// The same from a node of a document, such as a manifest.
Result<ReleaseDescription> read_release(const YamlNode& node);

/// Compares versions part by part, numbers as numbers: negative, 0 or positive.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace baton::description
