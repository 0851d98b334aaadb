#include "node/node.h"

#include "base/duration.h"
#include "base/version.h"
#include "node/stop_limit.h"
#include "node/verbs.h"
#include "runtime/watch.h"
#include "term/text.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace baton::node {

namespace {
constexpr std::uint32_t kRootMode = 0750;
constexpr std::uint32_t kOthersWrite = 0022;
// The release has stopped: what is still inside a callback has been told to end before.
constexpr std::uint64_t kLastCallbacksNs = 1'000'000'000;
}  // namespace

Node::Node(const Config& config) : config_(config), files_(real_files()) {}

Result<std::unique_ptr<Node>> Node::open(const Config& config) {
  std::unique_ptr<Node> node(new Node(config));
  BATON_TRY(node->start());
  return node;
}

// Nobody else may put anything where the host keeps its keys, modules and journal.
Result<void> Node::check_root() {
  for (const char* below : {"", "/keys", "/releases", "/store", "/journal"}) {
    const std::string path = config_.root + below;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) continue;  // made later, or refused by what needs it
    if ((facts.st_mode & kOthersWrite) != 0)
      return Error(Code::kDenied, path + ": others may write to it; cure: chmod go-w " + path);
    if (facts.st_uid != ::geteuid() && facts.st_uid != 0)
      return Error(Code::kDenied, path + " belongs to uid " + std::to_string(facts.st_uid) +
                                      "; cure: chown it to the user that the host runs as");
  }
  return {};
}

void Node::begin_crash_reports() {
  crashes_ = std::make_unique<Crashes>(*files_, config_.root);
  crash_reporter_ = std::make_unique<CrashReporter>(crashes_->directory(), log_->descriptor(),
                                                    config_.log.format, kVersion);
  // A full disk keeps nobody from starting.
  if (const auto begun = crashes_->begin(*log_); !begun.ok())
    log_->write(LogLevel::kWarning, "crashes before this start cannot be told of",
                {{"why", begun.error().message()}});
}

Result<void> Node::start() {
  BATON_ASSIGN(log_, Log::open(config_.log, clock_));
  BATON_TRY(check_root());
  BATON_TRY(make_directories(*files_, config_.root, kRootMode));
  begin_crash_reports();
  BATON_ASSIGN(store_, release::ReleaseStore::open(*files_, clock_, config_.root));
  atoms_ = std::make_unique<term::AtomTable>();
  code_ = std::make_unique<code::CodeTable>();
  observer_ = std::make_unique<HostObserver>(*log_, *atoms_);
  runtime_ = std::make_unique<runtime::Runtime>(
      runtime::Options{.schedulers = config_.schedulers, .limits = config_.limits}, *atoms_, *code_,
      *observer_);
  applications_ = std::make_unique<behaviour::Applications>(
      *runtime_,
      [this](const behaviour::Ended& ended) {
        log_->write(ended.ends_node ? LogLevel::kCritical : LogLevel::kError, "application ended",
                    {{"application", ended.name}});
        if (ended.ends_node)
          observer_->note_end(ended.name, term::print(ended.reason.root(), *atoms_));
      },
      [this] { end_host("the application controller was killed"); });
  net_ = std::make_unique<net::Net>(*runtime_, config_.memory_max);
  services_ = std::make_unique<HostServices>(*runtime_, *applications_, *net_, *log_);
  modules_ = std::make_unique<release::LoadedModules>(*runtime_, *store_);
  runtime_->start();
  handler_ = std::make_unique<release::ReleaseHandler>(release::ReleaseHandler::Parts{
      .modules = *modules_,
      .services = *services_,
      .store = *store_,
      .files = *files_,
      .clock = clock_,
      .log = *log_,
      .host_version = kVersion,
      .channels = config_.channels,
      .end_host = [this](const std::string& why) { end_host(why); }});
  observer_->set_handler(handler_.get());
  verbs_ = make_verbs({.runtime = *runtime_,
                       .handler = *handler_,
                       .applications = *applications_,
                       .net = *net_,
                       .store = *store_,
                       .log = *log_,
                       .clock = clock_,
                       .observer = *observer_,
                       .crashes = *crashes_,
                       .config = config_});
  BATON_TRY(handler_->boot());
  BATON_ASSIGN(admin_, Admin::open(config_.socket_path(), verbs_, *log_));
  log_->write(LogLevel::kInfo, "baton is ready",
              {{"version", kVersion}, {"socket", config_.socket_path()}});
  return {};
}

void Node::end_host(const std::string& why) {
  log_->write(LogLevel::kCritical, "the host ends: " + why);
  {
    std::lock_guard lock(mutex_);
    if (!fatal_.empty()) return;
    fatal_ = why;
  }
  // The main thread waits for this signal.
  kill(getpid(), SIGTERM);
}

std::string Node::fatal() const {
  std::lock_guard lock(mutex_);
  return fatal_;
}

void Node::end_program(int status) {
  if (runtime_ != nullptr)
    for (const auto& callback : runtime_->watch().overdue())
      log_->write(LogLevel::kError,
                  "a callback has not returned at the host's end: " + callback.text());
  log_->write(LogLevel::kInfo, "baton has stopped");
  log_->flush();
  _exit(status);
}

Node::~Node() {
  const StopLimit limit(config_.stop_timeout, [this] {
    log_->write(LogLevel::kCritical, "the host did not stop in time: it ends now",
                {{"stop_timeout", format_duration(config_.stop_timeout)}});
    end_program(exit_code(Code::kFailed));
  });
  admin_.reset();
  if (handler_ != nullptr) handler_->shut_down();
  if (runtime_ != nullptr && !runtime_->stop(runtime::now_ns() + kLastCallbacksNs))
    end_program(fatal().empty() ? 0 : exit_code(Code::kFailed));
  if (observer_ != nullptr) observer_->set_handler(nullptr);
  handler_.reset();
  modules_.reset();
  services_.reset();
  net_.reset();
  applications_.reset();
  // Processes that were not stopped die with the runtime's memory; the code they ran goes after
  // them.
  runtime_.reset();
  if (log_ != nullptr) log_->write(LogLevel::kInfo, "baton has stopped");
}

}  // namespace baton::node
