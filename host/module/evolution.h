// Evolution: what changed between two versions of a module, as their notes say it: states,
// messages, behaviour by behaviour and both ways, and the contract.
//
// Computed once, by whoever makes the plan; what is printed, what is warned of and the movers of a
// take-over (takeover/state_mover.h) all read this one value. It is pure: it sees descriptions,
// never an object. A state changes field by field, by name (or by the name that the newer version
// says it had):
//
//   to has    from has       step      when                 can fail
//   scalar    equal type     copy      prepare              no
//   scalar    narrower type  convert   prepare              no
//   scalar    wider type     convert   prepare, only down   when the value does not fit (checked)
//   other     equal type     move      commit               no
//   any       another type   hook      prepare              as the hook says; without a hook:
//                                                           impossible
//   any       nothing        fresh     construct            no: it keeps its default
//   nothing   any            drop      never                up: impossible unless declared dropped;
//                                                           down: loses the field's value unless
//                                                           disposable
//
// What is wider says module/scalar.h. Up uses the newer version's change, down the newer version's
// revert: the older one cannot know.
//
// Messages change like states, for mail that waits when their receiver crosses. A form (name,
// number of members, their types; module/message_form.h) becomes one of the same name, or of the
// name that the newer version says it had:
//
//   to has    from has       step      can fail
//   any       equal type     copy      no
//   scalar    other scalar   convert   up only wider ones; down when the value does not fit
//   any       another type   hook      as the hook says; without a hook: impossible
//   any       nothing        fresh     without a default in the form that is entered: by the hook,
//                                      or impossible
//   nothing   any            drop      up: impossible unless declared dropped
//
// As of states the hook is the newer version's, message_change up and message_revert down; where
// there is one it is called for every message whose form changes.
//
// Two forms that the same term may be of, while its members mean something else (reordered, one
// given up for another of its type, one that a hook makes of the other), are impossible: no
// receiver could tell them apart.
//
// Threads: value types and pure functions; any thread.
#pragma once

#include "module/contract.h"
#include "module/note.h"
#include "module/schema.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::module {

enum class Direction { kUp, kDown };

enum class Outcome {
  kAdopt,       // equal fingerprints: the object stays where it lies
  kMigrate,     // the steps below make the new object
  kRestart,     // no state crosses, but a fresh process can take its place
  kImpossible,  // the reasons say what the newer version must declare
};
const char* outcome_name(Outcome outcome);

enum class FieldStep { kCopy, kConvert, kMove, kHook, kFresh, kDrop };
const char* field_step_name(FieldStep step);

inline constexpr std::uint32_t kNoField = ~std::uint32_t{0};

struct FieldAction {
  FieldStep step = FieldStep::kFresh;
  std::uint32_t from = kNoField;  // index into the fields of the version that is left
  std::uint32_t to = kNoField;    // index into the fields of the version that is entered
  bool is_checked = false;        // kConvert: refuses at run time a value that does not fit
  bool is_lossy = false;          // kDrop on the way down: a value that is no default would be lost
  std::string text;               // for people: "value: i32 -> i64, converted"
};

enum class Hook { kNone, kChange, kRevert };

/// How a state of one version becomes one of another.
struct StateChange {
  Direction direction = Direction::kUp;  // kUp: the version that is entered is the newer one
  Outcome outcome = Outcome::kImpossible;
  Hook hook = Hook::kNone;  // of the newer version, to be called after the copies and conversions
  /// First those of every field of the version that is entered, in its order, then the drops.
  std::vector<FieldAction> actions;
  /// Of kRestart and kImpossible, each naming the field and the cure.
  std::vector<std::string> reasons;
};

enum class MessageOutcome {
  kSame,        // the version that is entered takes it as it is
  kDerivable,   // the steps below make the form that is entered
  kByHook,      // the same, and then the newer version's hook
  kImpossible,  // the reasons say what the newer version must declare
};
const char* message_outcome_name(MessageOutcome outcome);

/// How a message in a form of one version becomes one of another.
struct MessageChange {
  Direction direction = Direction::kUp;
  MessageOutcome outcome = MessageOutcome::kImpossible;
  ContractMessage from;
  ContractMessage to;  // unless kImpossible; then as near as there is, or empty
  /// Of kByHook: which of the newer version's messages has the hook, in its note's order.
  std::uint32_t hook = kNoField;
  /// Of kDerivable and kByHook: one per member of the form that is entered, in its order, then the
  /// drops.
  std::vector<FieldAction> actions;
  std::vector<std::string> reasons;  // of kImpossible, each naming the member and the cure

  std::string title() const;  // "call order"
};

/// A behaviour of the version that is left. A coroutine process, and a behaviour that is gone or of
/// another kind, is kRestart; its mail stays with its processes. Of a coroutine process the mail
/// that comes later changes all the same, when it is received.
struct BehaviourChange {
  std::string behaviour;
  StateChange there;
  StateChange back;
  std::vector<MessageChange> mail_there{};  // one per form that is left
  std::vector<MessageChange> mail_back{};
};

struct Evolution {
  Direction direction = Direction::kUp;
  std::vector<BehaviourChange> behaviours;  // in the order of the version that is left
  ContractDifference contract;              // for clients that know the version that is left
  ContractDifference contract_back;         // for those that know the one that is entered

  /// Null if the version that is left has none of that name.
  const BehaviourChange* behaviour(std::string_view name) const;
  /// The way back, of the same behaviours.
  Evolution inverse() const;
};

Evolution compare(const ModuleNote& from, const ModuleNote& to, Direction direction);
StateChange compare(const SchemaDescription& from, const SchemaDescription& to,
                    Direction direction);
std::vector<MessageChange> compare_mail(const BehaviourNote& from, const BehaviourNote& to,
                                        Direction direction);

}  // namespace baton::module
