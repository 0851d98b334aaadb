// Difference: what has to change between two release descriptions in what a host runs, as values.
//
// Applications, supervision trees, environments and listeners are compared once; a plan shows the
// changes, and what runs is changed by carrying out exactly these, one by one. Each carries both
// sides of what it changes, so that it can be taken back too. Modules are no part of it: a new
// version of a child's module is the take-over's business.
//
// The order in which changes are carried out; taking back goes through it backwards:
//   1  listeners open, change or move, so that what asks for one finds it; one that stands in the
//      way of another closes before
//   2  what is gone, or has to start anew, stops: right to left, the last application first
//   3  types, environments, and per supervisor its flags, specs and order, from the top down
//   4  what is new, or starts anew, starts: left to right, the first application first
//   5  listeners that are gone close
// Stops come before all starts, since what starts may need a name or a listener of what stops.
//
// Something starts anew if it is in both releases and no change in place would do:
//   child                  its module, behaviour, args, registered name or type
//   supervisor             its registered name; its strategy from or to simple_one_for_one; below
//                          simple_one_for_one, the module, behaviour or type of the template
//   application            if its top supervisor has to
// A change of restart type, shutdown or significance counts from now on; one of the rest of a
// template counts for children that start later.
//
// Invariants:
//   (1) Of Application and Child changes exactly one side is there, of Listener changes at least
//       one; of the other kinds both sides are, and differ.
//   (2) A change is carried out on what those before it have left.
// Threads: pure; value types; any thread.
// Fails:   kRefused: listeners that exchange their addresses.
#pragma once

#include "base/result.h"
#include "description/release_description.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace baton::description {

/// Ids from below an application's top supervisor, which is the empty path, to a supervisor.
using SupervisorPath = std::vector<std::string>;

struct ListenerChange {
  std::optional<ListenerDescription> from, to;
  /// The listener that needs the address of `from`, itself included: it closes before that one
  /// opens. Empty: it can be set aside.
  std::string needed_by;
  bool operator==(const ListenerChange&) const = default;
};
/// Whether it is bound anew, under the name that it has.
bool is_move(const ListenerChange& change);
struct ApplicationChange {
  std::optional<ApplicationDescription> from, to;
  std::string after;  // the application before it in the order they start; empty: it is the first
  bool operator==(const ApplicationChange&) const = default;
};
struct ApplicationTypeChange {
  std::string application;
  ApplicationType from, to;
  bool operator==(const ApplicationTypeChange&) const = default;
};
struct EnvironmentChange {
  std::string application;
  std::vector<EnvEntry> from, to;  // all of it
  bool operator==(const EnvironmentChange&) const = default;
};
struct ApplicationOrderChange {
  std::vector<std::string> from, to;
  bool operator==(const ApplicationOrderChange&) const = default;
};
struct ChildChange {
  std::string application;
  SupervisorPath supervisor;
  std::optional<ChildDescription> from, to;
  std::string after;  // the child before it in its supervisor's order; empty: it is the first
  bool operator==(const ChildChange&) const = default;
};
/// A supervisor's flags, the specs of its children, and their order. The children are the same ones
/// on both sides; what is below those that are supervisors is left out. Of simple_one_for_one the
/// template stands there whole.
struct SupervisorChange {
  std::string application;
  SupervisorPath supervisor;
  SupervisorDescription from, to;
  bool operator==(const SupervisorChange&) const = default;
};

struct Change {
  std::variant<ListenerChange, ApplicationChange, ApplicationTypeChange, EnvironmentChange,
               ApplicationOrderChange, ChildChange, SupervisorChange>
      what;
  /// Why something that is in both releases stops and starts anew; empty: nothing does.
  std::string why_anew;

  /// The way back. Where that cannot be told from here, what it says in words is the way up's.
  Change inverse() const;
  /// What kind of thing changes, for people: "listener", "application", "environment", "child",
  /// "supervisor".
  const char* part() const;
  /// One line: "child shop/desk: stops, to start anew: its args change".
  std::string text() const;
  /// Whether a process stops or starts for it although what it is for is in both releases.
  bool restarts() const { return !why_anew.empty(); }
  bool operator==(const Change&) const = default;
};

/// In the order in which they are carried out. An empty `from` gives everything that starts.
Result<std::vector<Change>> difference(const ReleaseDescription& from,
                                       const ReleaseDescription& to);

/// Carries a change out on a description. Requires: it is what the changes before have left.
void carry_out(const Change& change, ReleaseDescription& release);

}  // namespace baton::description
