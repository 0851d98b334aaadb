// ChildSpec: how a supervisor starts, restarts and stops one child; SupervisorFlags: its strategy.
//
// Plain data, as a release declares it (description/release_description.h) or as a process asks for
// it at run time. Its form as a term is OTP's, but for `start`, which names what a module offers
// rather than a function:
//
//   #{id => Id, start => {Module, Behaviour, Args},          id and start are needed, the rest
//                                                            has defaults:
//     name => Atom,                                          registered; none
//     restart => permanent | transient | temporary,          permanent
//     shutdown => brutal_kill | Milliseconds | infinity,     5000; of a supervisor infinity
//     type => worker | supervisor, significant => boolean()} worker, false
//   #{strategy => one_for_one | one_for_all | rest_for_one | simple_one_for_one, intensity => 1,
//     period => Seconds, auto_shutdown => never | any_significant | all_significant}
//
// A supervisor below a supervisor starts {baton, supervisor, {Flags, [ChildSpec]}}: baton is the
// host's own module. The children of a simple_one_for_one supervisor get its one spec's Args ++
// what start_child is given.
//
// Threads: value types.
// Fails:   kUsage, naming the child, the key and what is allowed.
#pragma once

#include "base/result.h"
#include "behaviour/literal.h"
#include "description/release_description.h"
#include "term/atom_table.h"
#include "term/builder.h"

#include <baton/abi.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baton::behaviour {

using description::AutoShutdown;
using description::ChildType;
using description::RestartType;
using description::Shutdown;
using description::Strategy;

/// The host's own module and its behaviour that supervises.
inline constexpr std::string_view kHostModule = "baton";
inline constexpr std::string_view kSupervisorName = "supervisor";

inline constexpr std::size_t kChildSpecsMax = 100'000;  // of one supervisor
inline constexpr std::uint32_t kIntensityMax = 1'000'000;
inline constexpr std::chrono::nanoseconds kPeriodMax = std::chrono::hours(24 * 365);
inline constexpr std::chrono::nanoseconds kShutdownMax = std::chrono::hours(24 * 365);

struct ChildSpec {
  Literal id;
  std::string module;
  std::string behaviour;
  Literal args;
  baton_term name = BATON_NO_TERM;  // an atom to register the process under, or none
  RestartType restart = RestartType::kPermanent;
  Shutdown shutdown;
  ChildType type = ChildType::kWorker;
  bool significant = false;
  friend bool operator==(const ChildSpec&, const ChildSpec&) = default;
};

struct SupervisorFlags {
  Strategy strategy = Strategy::kOneForOne;
  std::uint32_t intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds(5);
  AutoShutdown auto_shutdown = AutoShutdown::kNever;
  friend bool operator==(const SupervisorFlags&, const SupervisorFlags&) = default;
};

struct SupervisorSpec {
  SupervisorFlags flags;
  std::vector<ChildSpec> children;  // in the order they start
  friend bool operator==(const SupervisorSpec&, const SupervisorSpec&) = default;
};

/// Whether these may stand together below one supervisor: ids distinct, significance where OTP
/// allows it, one template for simple_one_for_one, limits; nested supervisors too.
Result<void> check_childspecs(const SupervisorFlags& flags, std::span<const ChildSpec> specs,
                              const term::AtomTable& atoms);

// As terms. Reading checks each part by itself, not check_childspecs.
Result<ChildSpec> read_child_spec(baton_term map, const term::AtomTable& atoms);
Result<SupervisorFlags> read_flags(baton_term map, const term::AtomTable& atoms);
/// Of {Flags, [ChildSpec]}, the args of a supervisor.
Result<SupervisorSpec> read_supervisor_spec(baton_term args, const term::AtomTable& atoms);

baton_term write(const ChildSpec& spec, term::Builder& builder, term::AtomTable& atoms);
baton_term write(const SupervisorFlags& flags, term::Builder& builder, term::AtomTable& atoms);
Literal write(const SupervisorSpec& spec, term::AtomTable& atoms);

// From a release's description.
Result<ChildSpec> child_spec_of(const description::ChildDescription& description,
                                term::AtomTable& atoms);
Result<SupervisorSpec> supervisor_spec_of(const description::SupervisorDescription& description,
                                          term::AtomTable& atoms);

}  // namespace baton::behaviour
