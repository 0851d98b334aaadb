#include "node/node.h"

#include "base/version.h"
#include "node/verbs.h"

namespace baton::node {

namespace {
constexpr std::uint32_t kRootMode = 0750;
}

Node::Node(const Config& config) : config_(config), files_(real_files()) {}

Result<std::unique_ptr<Node>> Node::open(const Config& config) {
  std::unique_ptr<Node> node(new Node(config));
  BATON_TRY(node->start());
  return node;
}

Result<void> Node::start() {
  BATON_ASSIGN(log_, Log::open(config_.log, clock_));
  BATON_TRY(make_directories(*files_, config_.root, kRootMode));
  BATON_ASSIGN(store_, release::ReleaseStore::open(*files_, clock_, config_.root));
  atoms_ = std::make_unique<term::AtomTable>();
  code_ = std::make_unique<code::CodeTable>();
  observer_ = std::make_unique<HostObserver>(*log_, *atoms_);
  runtime_ = std::make_unique<runtime::Runtime>(runtime::Options{.schedulers = config_.schedulers},
                                                *atoms_, *code_, *observer_);
  applications_ =
      std::make_unique<behaviour::Applications>(*runtime_, [this](const behaviour::Ended& ended) {
        log_->write(ended.ends_node ? LogLevel::kCritical : LogLevel::kError, "application ended",
                    {{"application", ended.name}});
      });
  net_ = std::make_unique<net::Net>(*runtime_, config_.memory_max);
  services_ = std::make_unique<HostServices>(*runtime_, *applications_, *net_, *log_);
  runtime_->start();
  handler_ = std::make_unique<release::ReleaseHandler>(*runtime_, *store_, *services_, *files_,
                                                       clock_, *log_, kVersion);
  observer_->set_handler(handler_.get());
  verbs_ = make_verbs({.runtime = *runtime_,
                       .handler = *handler_,
                       .applications = *applications_,
                       .net = *net_,
                       .store = *store_,
                       .log = *log_,
                       .clock = clock_,
                       .observer = *observer_,
                       .config = config_});
  BATON_TRY(handler_->boot());
  BATON_ASSIGN(admin_, Admin::open(config_.socket_path(), verbs_, *log_));
  log_->write(LogLevel::kInfo, "baton is ready",
              {{"version", kVersion}, {"socket", config_.socket_path()}});
  return {};
}

Node::~Node() {
  admin_.reset();
  if (handler_ != nullptr) handler_->shut_down();
  if (runtime_ != nullptr) runtime_->stop();
  if (observer_ != nullptr) observer_->set_handler(nullptr);
  handler_.reset();
  services_.reset();
  net_.reset();
  applications_.reset();
  // Processes that were not stopped die with the runtime's memory; the code they ran goes after
  // them.
  runtime_.reset();
  if (log_ != nullptr) log_->write(LogLevel::kInfo, "baton has stopped");
}

}  // namespace baton::node
