// Supervisor: a process of the host's own that starts, watches, restarts and stops its children.
//
// It is OTP's supervisor with OTP's requests and answers, but never waits inside a callback:
// starting and stopping a child are steps of a table, so that it answers at any time, and a child
// whose init is held back by a take-over holds up nobody else.
//
//   request (a call)               answers
//   {start_child, Spec}            {ok, Pid} | {ok, undefined} (ignore) |
//                                  {error, already_present | {already_started, Pid} |
//                                  {Reason, Spec}}
//   {start_child, ExtraArgs}       simple_one_for_one: {ok, Pid} | {ok, undefined} |
//                                  {error, Reason}
//   {terminate_child, Id | Pid}    ok | {error, not_found | simple_one_for_one}
//   {restart_child, Id}            {ok, Pid} | {ok, undefined} | {error, not_found | running |
//                                  restarting | Reason | simple_one_for_one}
//   {delete_child, Id}             ok | {error, not_found | running | restarting |
//                                  simple_one_for_one}
//   which_children                 [{Id, Pid | restarting | undefined, worker | supervisor,
//                                  [Module]}], in the order they start
//   count_children                 [{specs, N}, {active, N}, {supervisors, N}, {workers, N}]
//   {get_childspec, Id | Pid}      {ok, Spec} | {error, not_found}
//   {change_specs, Flags, [Spec]}  ok | {error, Reason}: see below
//   and, of the host alone, for releases; After is the list of the child before it, or []:
//   {start_child, Spec, After}     as start_child, at that place in the order
//   {change_spec, Spec}            ok | {error, not_found}; it counts from the next start on
//   {set_aside, Id}                {ok, Pid | undefined} | {error, not_found}: see below
//   {put_back, Id, After}          {ok, Pid | undefined} | {error, not_found | already_present}
//   {end_aside, Id}                ok when it has stopped | {error, not_found}
//   anything else, or a bad Spec   {error, Reason}, a text where it helps
//
//   child       event                             next
//   stopped     start                             starting
//   starting    started                           running      who asked hears {ok, Pid}
//   starting    exit normal                       stopped      it ignores: {ok, undefined};
//                                                              a temporary one is forgotten
//   starting    exit, the supervisor's own start  -            the supervisor stops:
//                                                              failed_to_start_child
//   starting    exit, asked for                   - | stopped  {error, ...}; a new one is forgotten
//   starting    exit, in a restart                restarting   a message to itself comes back to it
//   restarting  that message                      starting     counted as one more restart
//   running     exit, to be restarted             starting     or all of a group: right to left
//                                                              stopped, then started
//   running     exit, not to be restarted         stopped      a temporary one is forgotten
//   any alive   stop                              stopping     exit signal shutdown or kill
//   stopping    time-out                          stopping     exit signal kill
//   stopping    exit                              stopped      a temporary one is forgotten
//
//   supervisor  event                             next
//   starting    all children started              running      its own parent hears so only now
//   starting    a child failed                    stopping     {shutdown, {failed_to_start_child,
//                                                              Id, Reason}}
//   running     a group restarts                  regrouping   start_child and the like wait
//   regrouping  all started | one failed          running
//   any         its parent's exit, sys:terminate  stopping     that reason
//   any         too many restarts                 stopping     shutdown
//   running     auto_shutdown                     stopping     shutdown
//   stopping    no child is left                  it ends
//
// Children start left to right and stop right to left; those of simple_one_for_one stop all at
// once. "exit normal" from init (BATON_STOP without a reason) is what OTP calls ignore. A restart
// takes the module's current version.
//
// change_specs gives the flags and specs of a changed release: what runs is left alone, new specs
// are stopped, their order becomes the given one, children that are not named keep theirs behind it
// (supervision_tree.h). Those below it in the table are not for simple_one_for_one.
//
// A child that is set aside is no longer one of the supervisor's: its id is free, nobody restarts
// it, and group restarts pass it by; what its process does meanwhile is up to whoever asked. It is
// put back as it is: {ok, undefined} says that it does not run, and restart_child starts it. When
// the supervisor stops, it stops too.
//
// Ownership: the runtime's; the state dies with the process, its children by their links.
// Threads:   a process.
// See:       ordered_supervisor.h, simple_supervisor.h
#pragma once

#include "behaviour/child_spec.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

#include <string_view>

namespace baton::behaviour {

/// Requests that wait because a group is being restarted. Beyond these: {error, system_limit}.
inline constexpr std::size_t kPostponedMax = 100'000;

/// What the module baton offers as children: the supervisor; null for any other name. The process's
/// args are {Flags, [ChildSpec]}.
const baton_behaviour* host_behaviour(std::string_view name);

}  // namespace baton::behaviour
