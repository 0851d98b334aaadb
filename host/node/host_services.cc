#include "node/host_services.h"

#include <algorithm>

namespace baton::node {

namespace {

// A tree that does not start or stop in this time has a process in it that hangs; named in the
// error.
constexpr std::chrono::seconds kApplicationTimeout{60};
constexpr std::chrono::seconds kChangeTimeout{30};

const description::ApplicationDescription* find(const description::ReleaseDescription& release,
                                                const std::string& name) {
  for (const auto& application : release.applications)
    if (application.name == name) return &application;
  return nullptr;
}

}  // namespace

Result<void> HostServices::start(const description::ReleaseDescription& release) {
  std::vector<std::string> opened;
  const auto give_up = [&](Error error) -> Error {
    for (const std::string& name : opened)
      if (auto closed = net_.close(name); !closed.ok())
        return std::move(error).within(closed.error().message());
    return error;
  };
  std::vector<behaviour::ApplicationSpec> specs;
  for (const auto& application : release.applications) {
    BATON_ASSIGN(auto spec, behaviour::application_spec_of(application, atoms_));
    specs.push_back(std::move(spec));
  }
  // Bound before the applications start, so that what asks for a listener finds it.
  for (const auto& listener : release.listeners) {
    auto address = net_.open(listener);
    if (!address.ok())
      return give_up(std::move(address).error().within("listener " + listener.name));
    opened.push_back(listener.name);
  }
  auto started = applications_.start_all(std::move(specs), kApplicationTimeout);
  if (!started.ok()) return give_up(std::move(started).error());
  return {};
}

Result<void> HostServices::change(const description::ReleaseDescription& from,
                                  const description::ReleaseDescription& to) {
  auto changed = change_listeners(from, to);
  if (changed.ok()) changed = change_applications(from, to);
  if (!changed.ok()) {
    // Changing back is the same, the other way: what was not done yet is no difference.
    for (const Result<void>& back : {change_applications(to, from), change_listeners(to, from)})
      if (!back.ok())
        return Error(Code::kStuck, changed.error().message() +
                                       "; and changing back failed: " + back.error().message());
    close_listeners(to, from);
    return changed;
  }
  close_listeners(from, to);
  return {};
}

// New listeners open and limits change. A listener that moves opens anew, which needs its name.
Result<void> HostServices::change_listeners(const description::ReleaseDescription& from,
                                            const description::ReleaseDescription& to) {
  for (const auto& listener : to.listeners) {
    const description::ListenerDescription* before = from.listener(listener.name);
    const bool is_open = net_.status(listener.name).ok();
    if (before != nullptr && *before == listener && is_open) continue;
    if (is_open && before != nullptr &&
        (!(before->address == listener.address) || before->protocol != listener.protocol))
      BATON_TRY(net_.close(listener.name));
    if (net_.status(listener.name).ok()) {
      BATON_TRY(net_.change(listener));
    } else {
      auto address = net_.open(listener);
      if (!address.ok()) return std::move(address).error().within("listener " + listener.name);
    }
  }
  return {};
}

void HostServices::close_listeners(const description::ReleaseDescription& from,
                                   const description::ReleaseDescription& to) {
  for (const auto& listener : from.listeners) {
    if (to.listener(listener.name) != nullptr || !net_.status(listener.name).ok()) continue;
    const Result<void> closed = net_.close(listener.name);
    BATON_CHECK(closed.ok(), closed.error().message());
  }
}

Result<void> HostServices::change_applications(const description::ReleaseDescription& from,
                                               const description::ReleaseDescription& to) {
  const auto running = applications_.list();
  const auto is_running = [&](const std::string& name) {
    return std::any_of(running.begin(), running.end(),
                       [&](const auto& application) { return application.name == name; });
  };
  for (const auto& application : to.applications) {
    const description::ApplicationDescription* before = find(from, application.name);
    if (before != nullptr && is_running(application.name)) {
      BATON_TRY(change_application(*before, application));
      continue;
    }
    BATON_ASSIGN(auto spec, behaviour::application_spec_of(application, atoms_));
    BATON_TRY(applications_.start(std::move(spec), kApplicationTimeout));
  }
  for (auto it = from.applications.rbegin(); it != from.applications.rend(); ++it)
    if (find(to, it->name) == nullptr && is_running(it->name))
      BATON_TRY(applications_.stop(it->name, kApplicationTimeout));
  return {};
}

Result<void> HostServices::change_application(const description::ApplicationDescription& from,
                                              const description::ApplicationDescription& to) {
  if (from == to) return {};
  BATON_ASSIGN(behaviour::ApplicationSpec spec, behaviour::application_spec_of(to, atoms_));
  if (from.env != to.env)
    BATON_TRY(applications_.change_environment(to.name, std::move(spec.env), kChangeTimeout));
  if (!(from.supervisor == to.supervisor))
    BATON_TRY(applications_.change_tree(to.name, spec.supervisor, kChangeTimeout));
  return {};
}

void HostServices::stop() {
  // The first failure names a tree that had to be killed; nobody is left to whom it would matter.
  static_cast<void>(applications_.stop_all(kApplicationTimeout));
  for (const auto& listener : net_.list()) static_cast<void>(net_.close(listener.description.name));
}

std::string HostServices::listener_address(const std::string& name) const {
  const auto status = net_.status(name);
  return status.ok() ? status->address.text() : std::string();
}

std::uint64_t HostServices::samples() const {
  std::uint64_t count = 0;
  for (const auto& listener : net_.list())
    count += listener.statistics.http_requests + listener.statistics.bytes_received / 1024 +
             listener.statistics.accepted;
  return count;
}

}  // namespace baton::node
