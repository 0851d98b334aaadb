// Schema: what two versions of a state object have in common, and how one becomes the other.
//
// The comparison that `baton plan` prints and that a take-over carries out. It is pure: it sees
// descriptions, never an object. A description is filled from the note of a file (module/note.h) or
// from the tables of a loaded module, so that the plan made from files is the one that runs.
//
// Field by field, by name (or by the name that the newer version says it had):
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
// Widening is to a wider integer of the same signedness, from unsigned to a wider signed one, f32
// to f64, and to an enum whose enumerators include the older ones under the same values. Up uses
// the newer version's change, down the newer version's revert: the older one cannot know.
//
// Threads: value types and pure functions; any thread.
#pragma once

#include "base/result.h"

#include <baton/abi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::module {

struct ModuleNote;

inline constexpr std::uint32_t kFieldsMax = 1024;
inline constexpr std::uint32_t kStateAlignMax = 16;
inline constexpr std::uint32_t kStateBytesMax = std::uint32_t{16} << 20;

struct FieldDescription {
  std::string name;
  std::uint64_t type = 0;
  std::string type_text;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint8_t scalar = BATON_SCALAR_NONE;
  std::uint8_t flags = 0;
  std::string renamed_from;  // empty: it had no other name
  bool is_disposable() const { return (flags & BATON_FIELD_DISPOSABLE) != 0; }
};

struct SchemaDescription {
  std::string name;
  std::uint64_t fingerprint = 0;
  std::uint32_t size = 0;
  std::uint32_t align = 0;
  std::uint32_t revision = 0;
  std::vector<FieldDescription> fields;
  std::vector<std::string> dropped;
  bool has_change = false;
  bool has_revert = false;
  bool has_loss = false;
};

/// Copies the description out of a module's table, or says which entry of it contradicts the ABI's
/// limits.
Result<SchemaDescription> describe(const baton_schema* schema);

/// What a description must hold to be used at all: sizes within limits, fields inside the object
/// and distinct.
Result<void> validate(const SchemaDescription& schema);

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
  /// kConvert to an enum with fewer enumerators: the values it has. Empty: the range of the type
  /// decides.
  std::vector<std::int64_t> enumerators;
  std::string text;  // for people: "value: i32 -> i64, converted"
};

enum class Hook { kNone, kChange, kRevert };

struct Migration {
  Outcome outcome = Outcome::kImpossible;
  Hook hook = Hook::kNone;  // of the newer version, to be called after the copies and conversions
  /// First those of every field of `to` in its order, then the drops.
  std::vector<FieldAction> actions;
  /// Of kRestart and kImpossible, each naming the field and the cure.
  std::vector<std::string> reasons;
};

/// How a state of `from` becomes one of `to`. kUp: `to` is the newer version; kDown: `from` is.
Migration compare(const SchemaDescription& from, const SchemaDescription& to, Direction direction);

struct BehaviourMigration {
  std::string behaviour;
  Migration migration;
};

/// The same for every behaviour of a module that `from` has. A coroutine process, and a behaviour
/// that is gone or of another kind, is kRestart.
std::vector<BehaviourMigration> compare(const ModuleNote& from, const ModuleNote& to,
                                        Direction direction);

/// Whether every value of a scalar type has its place in another, both as type texts ("i32",
/// "enum(u8:a=0)").
bool is_widening(std::string_view from_type_text, std::string_view to_type_text);

/// Performs a kCopy or kConvert between two scalar fields that lie at these addresses. False: the
/// value does not fit (only when the action is checked), and nothing was written.
bool convert(const FieldAction& action, const FieldDescription& from, const void* from_at,
             const FieldDescription& to, void* to_at);

}  // namespace baton::module
