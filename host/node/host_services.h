// HostServices: the applications and listeners of this host, as the release handler changes them.
//
// Ownership: borrows all it is given.
// Threads:   the release handler's; line_to and listener_address: any.
#pragma once

#include "base/log.h"
#include "behaviour/application.h"
#include "behaviour/frozen.h"
#include "behaviour/supervision_tree.h"
#include "net/net.h"
#include "release/services.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::node {

class HostServices : public release::Services {
 public:
  HostServices(runtime::Runtime& runtime, behaviour::Applications& applications, net::Net& net,
               Log& log)
      : runtime_(runtime), applications_(applications), net_(net), log_(log) {}

  Result<void> apply(const description::Change& change) override;
  Result<void> revert(const description::Change& change) override;
  void expose(const description::Change& change) override;
  void settle(const description::Change& change) override;
  Result<void> start_ended() override;
  bool is_missing(const std::string& application) const override;
  void stop() override;
  Result<std::unique_ptr<release::CheckLine>> line_to(const std::string& listener) const override;
  std::string listener_address(const std::string& name) const override;

 private:
  /// What a change has set aside, to go on or to end.
  struct Aside {
    description::Change change;
    behaviour::Frozen processes;
    std::vector<net::Net::Ownership> listeners;
  };

  // What it does to what runs, once the description has followed. What it stops or closes is set
  // aside, or really ends.
  enum class End { kSetAside, kReal };
  Result<void> carry_out(const description::Change& change, End end);
  Result<void> carry_out(const description::ListenerChange& change, End end);
  Result<void> carry_out(const description::ApplicationChange& change, End end);
  Result<void> carry_out(const description::ApplicationTypeChange& change, End end);
  Result<void> carry_out(const description::EnvironmentChange& change, End end);
  Result<void> carry_out(const description::ApplicationOrderChange& change, End end);
  Result<void> carry_out(const description::ChildChange& change, End end);
  Result<void> carry_out(const description::SupervisorChange& change, End end);

  Result<void> start(const description::ApplicationDescription& application,
                     const std::string& after);
  void set_aside(const description::Change& change, baton_term top);
  /// What it has set aside stays so if that fails, to be put back by a later try.
  Result<void> put_back(const description::Change& change);
  void settle_aside(const description::Change& change);
  void end_aside(const Aside& aside);
  /// Takes a change that could not be carried out back from the description.
  void forget(const description::Change& failed);
  /// Gives the supervisors above that one the specs from which they would start what is below.
  Result<void> tell_those_above(const std::string& application,
                                const description::SupervisorPath& supervisor);
  /// None: the application has ended by itself.
  std::optional<behaviour::SupervisionTree> tree(const std::string& application) const;
  const description::SupervisorDescription& described(
      const std::string& application, const description::SupervisorPath& supervisor) const;
  void report(const description::Change& change, std::string_view doing,
              const Result<void>& result);

  runtime::Runtime& runtime_;
  behaviour::Applications& applications_;
  net::Net& net_;
  Log& log_;
  description::ReleaseDescription running_;  // what the changes so far have made
  std::vector<Aside> asides_;
};

}  // namespace baton::node
