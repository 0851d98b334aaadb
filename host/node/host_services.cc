#include "node/host_services.h"

#include "base/check.h"

#include <algorithm>
#include <chrono>
#include <ranges>
#include <thread>
#include <utility>

namespace baton::node {

namespace {

using description::ApplicationChange;
using description::ApplicationOrderChange;
using description::ApplicationTypeChange;
using description::Change;
using description::ChildChange;
using description::EnvironmentChange;
using description::ListenerChange;
using description::SupervisorChange;
using net::Net;

// A tree that does not start or stop in this time has a process in it that hangs; named in the
// error.
constexpr std::chrono::seconds kApplicationTimeout{60};
constexpr std::chrono::seconds kChangeTimeout{30};
// A process that does not answer in this time is held by its callback, and is frozen after it.
constexpr std::chrono::seconds kFreezeTimeout{1};

// Whether what it stops or closes is set aside, to come back as it was.
bool sets_aside(const Change& change) {
  if (const auto* listener = std::get_if<ListenerChange>(&change.what))
    return listener->from && listener->needed_by.empty() &&
           (!listener->to || description::is_move(*listener));
  if (change.restarts()) return false;
  if (const auto* application = std::get_if<ApplicationChange>(&change.what))
    return application->from.has_value();
  if (const auto* child = std::get_if<ChildChange>(&change.what)) return child->from.has_value();
  return false;
}

}  // namespace

Result<void> HostServices::apply(const Change& change) {
  description::carry_out(change, running_);
  auto done = carry_out(change, sets_aside(change) ? End::kSetAside : End::kReal);
  if (!done.ok()) forget(change);
  return done;
}

Result<void> HostServices::revert(const Change& change) {
  const Change back = change.inverse();
  description::carry_out(back, running_);
  auto done = sets_aside(change) ? put_back(change) : carry_out(back, End::kReal);
  if (!done.ok())
    forget(back);  // It is tried again.
  else if (!sets_aside(change))
    expose(back);
  return done;
}

void HostServices::forget(const Change& failed) {
  description::carry_out(failed.inverse(), running_);
  if (const auto* child = std::get_if<ChildChange>(&failed.what))
    report(failed, "undoing", tell_those_above(child->application, child->supervisor));
}

void HostServices::expose(const Change& change) {
  const auto* listener = std::get_if<ListenerChange>(&change.what);
  if (listener == nullptr || !listener->to) return;
  if (listener->from && !description::is_move(*listener)) return;
  report(change, "exposing", net_.resume(listener->to->name));
}

void HostServices::settle(const Change& change) {
  if (!sets_aside(change)) return;
  if (const auto* listener = std::get_if<ListenerChange>(&change.what))
    return report(change, "settling", net_.close_aside(listener->from->name));
  settle_aside(change);
}

Result<void> HostServices::carry_out(const Change& change, End end) {
  return std::visit([&](const auto& one) { return carry_out(one, end); }, change.what);
}

void HostServices::report(const Change& change, std::string_view doing,
                          const Result<void>& result) {
  if (!result.ok())
    log_.write(LogLevel::kError,
               std::string(doing) + ": " + change.text() + ": " + result.error().message());
}

// ---- Listeners

Result<void> HostServices::carry_out(const ListenerChange& change, End end) {
  const std::string& name = change.to ? change.to->name : change.from->name;
  if (!change.to) return end == End::kSetAside ? net_.set_aside(name) : net_.close(name);
  Result<void> done;
  const auto opened = [&](const Result<description::Address>& address) {
    if (!address.ok()) done = Error(address.error()).within("listener " + name);
  };
  if (!change.from)
    opened(net_.open(*change.to, Net::Exposure::kSuspended));
  else if (description::is_move(change))
    opened(net_.move(*change.to,
                     end == End::kSetAside ? Net::Before::kSetAside : Net::Before::kClosed));
  else
    done = net_.change(*change.to);
  return done;
}

// ---- Applications

Result<void> HostServices::carry_out(const ApplicationChange& change, End end) {
  if (change.to) return start(*change.to, change.after);
  const std::string& name = change.from->name;
  if (end == End::kReal) {
    const auto stopped = applications_.stop(name, kApplicationTimeout);
    // Then it was killed, or has ended before.
    if (!stopped.ok()) log_.write(LogLevel::kWarning, stopped.error().message());
    return {};
  }
  if (const auto top = applications_.set_aside(name); top.ok()) set_aside({change, {}}, *top);
  return {};
}

Result<void> HostServices::start(const description::ApplicationDescription& application,
                                 const std::string& after) {
  BATON_ASSIGN(auto spec, behaviour::application_spec_of(application, runtime_.atoms()));
  BATON_TRY(applications_.start(std::move(spec), kApplicationTimeout));
  applications_.place(application.name, after);
  return {};
}

Result<void> HostServices::carry_out(const ApplicationTypeChange& change, End) {
  applications_.change_type(change.application, change.to);
  return {};
}

Result<void> HostServices::carry_out(const EnvironmentChange& change, End) {
  behaviour::Environment environment;
  for (const auto& entry : change.to) {
    auto value = behaviour::Literal::parse(entry.term, runtime_.atoms());
    if (!value.ok())
      return std::move(value).error().within("application " + change.application + ": env " +
                                             entry.key);
    environment.emplace_back(entry.key, std::move(value).value());
  }
  if (!tree(change.application)) return {};
  return applications_.change_environment(change.application, std::move(environment),
                                          kChangeTimeout);
}

Result<void> HostServices::carry_out(const ApplicationOrderChange& change, End) {
  std::string after;
  for (const std::string& name : change.to) {
    applications_.place(name, after);
    after = name;
  }
  return {};
}

// ---- Trees

std::optional<behaviour::SupervisionTree> HostServices::tree(const std::string& application) const {
  const auto top = applications_.supervisor(application);
  if (!top.ok()) return std::nullopt;
  return behaviour::SupervisionTree(runtime_, *top, kChangeTimeout);
}

const description::SupervisorDescription& HostServices::described(
    const std::string& application, const description::SupervisorPath& supervisor) const {
  const auto found = std::ranges::find(running_.applications, application,
                                       &description::ApplicationDescription::name);
  BATON_CHECK(found != running_.applications.end(), "the application is not described");
  const description::SupervisorDescription* at = &found->supervisor;
  for (const std::string& id : supervisor) {
    const auto child = std::ranges::find(at->children, id, &description::ChildDescription::id);
    BATON_CHECK(child != at->children.end(), "the supervisor is not described");
    at = &child->supervisor;
  }
  return *at;
}

Result<void> HostServices::tell_those_above(const std::string& application,
                                            const description::SupervisorPath& supervisor) {
  const auto running = tree(application);
  if (!running) return {};
  for (std::size_t depth = supervisor.size(); depth-- > 0;) {
    const description::SupervisorPath above(supervisor.begin(), supervisor.begin() + depth);
    const auto& children = described(application, above).children;
    const auto child =
        std::ranges::find(children, supervisor[depth], &description::ChildDescription::id);
    BATON_ASSIGN(const auto spec, behaviour::child_spec_of(*child, runtime_.atoms()));
    BATON_TRY(behaviour::SupervisionTree(*running).change_spec(above, spec));
  }
  return {};
}

Result<void> HostServices::carry_out(const ChildChange& change, End end) {
  const auto& child = change.to ? *change.to : *change.from;
  BATON_ASSIGN(const auto spec, behaviour::child_spec_of(child, runtime_.atoms()));
  auto running = tree(change.application);
  if (!running) return {};
  BATON_TRY(tell_those_above(change.application, change.supervisor));
  if (change.to) return running->start_child(change.supervisor, spec, change.after);
  if (end == End::kReal) return running->stop_child(change.supervisor, spec.id);
  BATON_ASSIGN(const auto top, running->set_aside(change.supervisor, spec.id));
  set_aside({change, {}}, top.value_or(BATON_NO_TERM));
  return {};
}

Result<void> HostServices::carry_out(const SupervisorChange& change, End) {
  BATON_ASSIGN(const auto specs,
               behaviour::supervisor_spec_of(described(change.application, change.supervisor),
                                             runtime_.atoms()));
  auto running = tree(change.application);
  if (!running) return {};
  BATON_TRY(tell_those_above(change.application, change.supervisor));
  return running->change_specs(change.supervisor, specs);
}

// ---- Set aside

void HostServices::set_aside(const Change& change, baton_term top) {
  Aside aside{change, {}, {}};
  if (top != BATON_NO_TERM) {
    aside.processes = behaviour::freeze(runtime_, top, kFreezeTimeout);
    aside.listeners = net_.disown(aside.processes.pids);
  }
  asides_.push_back(std::move(aside));
}

void HostServices::settle_aside(const Change& change) {
  const auto found = std::ranges::find(asides_, change, &Aside::change);
  if (found == asides_.end()) return;
  end_aside(*found);
  asides_.erase(found);
}

Result<void> HostServices::put_back(const Change& change) {
  if (const auto* listener = std::get_if<ListenerChange>(&change.what))
    return net_.put_back(listener->from->name);
  const auto aside = std::ranges::find(asides_, change, &Aside::change);
  // What was not running when it was to be set aside is not running now.
  if (aside == asides_.end()) return {};
  Result<void> done;
  if (const auto* application = std::get_if<ApplicationChange>(&change.what)) {
    if (applications_.put_back(application->from->name))
      applications_.place(application->from->name, application->after);
    else if (!tree(application->from->name))
      done = start(*application->from, application->after);
  } else {
    const auto& child = std::get<ChildChange>(change.what);
    BATON_ASSIGN(const auto spec, behaviour::child_spec_of(*child.from, runtime_.atoms()));
    if (auto running = tree(child.application)) {
      done = tell_those_above(child.application, child.supervisor);
      if (done.ok()) done = running->put_back(child.supervisor, spec, child.after);
    }
  }
  // Its processes go on whatever became of that.
  net_.give_back(aside->listeners);
  auto thawed = behaviour::thaw(runtime_, aside->processes, kFreezeTimeout);
  if (done.ok()) done = std::move(thawed);
  if (done.ok()) asides_.erase(aside);
  return done;
}

void HostServices::end_aside(const Aside& aside) {
  if (const auto* application = std::get_if<ApplicationChange>(&aside.change.what))
    return report(aside.change, "settling",
                  applications_.end_aside(application->from->name, kApplicationTimeout));
  const auto& child = std::get<ChildChange>(aside.change.what);
  auto running = tree(child.application);
  if (!running) return;
  const auto spec = behaviour::child_spec_of(*child.from, runtime_.atoms());
  BATON_CHECK(spec.ok(), "a child that was set aside has a spec");
  report(aside.change, "settling", running->end_aside(child.supervisor, spec->id));
}

// ---- The end, and questions

Result<void> HostServices::start_ended() {
  std::string after;
  for (const description::ApplicationDescription& application : running_.applications) {
    if (!tree(application.name)) BATON_TRY(start(application, after));
    after = application.name;
  }
  return {};
}

bool HostServices::is_missing(const std::string& application) const {
  return std::ranges::find(running_.applications, application,
                           &description::ApplicationDescription::name) !=
             running_.applications.end() &&
         !tree(application);
}

void HostServices::stop() {
  // The first failure names a tree that had to be killed; nobody is left to whom it would matter.
  static_cast<void>(applications_.stop_all(kApplicationTimeout));
  // Children have ended with their supervisors.
  for (const Aside& aside : asides_)
    if (std::holds_alternative<ApplicationChange>(aside.change.what)) end_aside(aside);
  asides_.clear();
  running_ = {};
  for (const auto& listener : net_.list()) static_cast<void>(net_.close(listener.description.name));
}

namespace {

// While nobody serves a listener a client waits, and so does a check.
constexpr std::chrono::milliseconds kServedLook{10};

class ListenerLine final : public release::CheckLine {
 public:
  ListenerLine(Net& net, std::string listener, std::shared_ptr<net::CheckLine> line)
      : net_(net), listener_(std::move(listener)), line_(std::move(line)) {}
  ~ListenerLine() override { hang_up(); }

  Result<int> connect(std::chrono::nanoseconds patience) override {
    for (;; patience -= kServedLook) {
      auto port = net_.connect(listener_, line_);
      if (!port.ok() && patience > kServedLook) {
        std::this_thread::sleep_for(kServedLook);
        continue;
      }
      if (!port.ok()) return std::move(port).error();
      port_ = *port;
      return line_->own_end();
    }
  }
  void hang_up() override {
    if (port_ != BATON_NO_TERM) net_.hang_up(std::exchange(port_, BATON_NO_TERM));
  }

 private:
  Net& net_;
  const std::string listener_;
  const std::shared_ptr<net::CheckLine> line_;
  baton_term port_ = BATON_NO_TERM;  // while it is connected
};

}  // namespace

Result<std::unique_ptr<release::CheckLine>> HostServices::line_to(
    const std::string& listener) const {
  BATON_ASSIGN(auto line, net::CheckLine::make());
  return std::unique_ptr<release::CheckLine>(
      std::make_unique<ListenerLine>(net_, listener, std::move(line)));
}

std::string HostServices::listener_address(const std::string& name) const {
  const auto status = net_.status(name);
  return status.ok() ? status->address.text() : std::string();
}

}  // namespace baton::node
