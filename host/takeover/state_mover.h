// StateMover: turns a state object of one version into one of another, and back.
//
// Carries out a module::StateChange on real objects. It is handed the change that the plan was made
// with and compares nothing itself. Three parts, so that a take-over stays a transaction:
//   make      a new object: construct, copies and conversions, the newer version's hook. May fail;
//             the old object is only read.
//   commit    moves the fields of equal type from the old object to the new one. Cannot fail. The
//             old object stays, live and emptied ("parked").
//   restore   makes a parked object whole again from the new one: the same moves the other way, and
//             the copies. check_restore first does the part that may fail.
//
// Where a hook took part, or has one in the way back (revert, loss, discard), the parked object
// cannot be made whole by moves alone: the way back is a migration down.
//
// Ownership: borrows both versions' schemas; both must stay loaded.
// Threads:   constant after construction; any thread, one per object.
// Fails:     kRefused with the change's reasons if no state crosses.
#pragma once

#include "base/result.h"
#include "module/evolution.h"

#include <baton/abi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace baton::takeover {

class StateMover {
 public:
  /// One side of it: the schema of a loaded version's behaviour, and the version's number.
  struct Side {
    const baton_schema* schema;
    std::string version;
  };
  /// `behaviour` is named in an error. Requires: the change is one between these schemas.
  static Result<StateMover> of(const module::StateChange& change, const std::string& behaviour,
                               Side from, Side to);

  /// The object is adopted where it lies: none of the rest is to be called.
  bool adopts() const { return adopts_; }
  /// Whether moves and copies are all there is to it: where that holds both ways, a parked object
  /// can be restored.
  bool is_reversible() const { return !has_hook_; }
  /// What make calls, for reports.
  const char* hook_name() const {
    return change_ != nullptr ? "code_change" : revert_ != nullptr ? "code_revert" : "constructor";
  }
  /// Whether that is code of the version that is left.
  bool is_hook_of_left() const { return revert_ != nullptr; }
  const baton_schema* from() const { return from_; }
  const baton_schema* to() const { return to_; }

  /// Makes the new object in raw memory of to()->size bytes. False: nothing was made, the text says
  /// why.
  bool make(void* old, void* raw, baton_error* error) const;
  void commit(void* old, void* made) const;
  bool check_restore(void* parked, void* live) const;
  void restore(void* parked, void* live) const;

  /// What loss returns if it cannot tell: never to be taken for a number, nor added up.
  static constexpr std::uint64_t kUncountable = ~std::uint64_t{0};
  /// How many things of value the old object would lose, on the way down; what they are, in the
  /// error's text.
  std::uint64_t loss(const void* old, baton_error* error) const;
  bool may_lose() const { return loss_ != nullptr || !lossy_.empty(); }
  bool discards() const { return discard_ != nullptr; }
  /// Gives up what loss counted, after make and before commit. Requires: discards.
  void discard(void* old) const;

 private:
  struct Move {
    void (*forward)(void* to, void* from);
    void (*back)(void* to, void* from);
    std::uint32_t from, to;  // offsets
  };
  struct Copy {
    std::uint32_t from, to, size;
  };
  struct Conversion {
    const baton_field* from;
    const baton_field* to;
    // The values of the narrower of two enumerations, for the way that may not fit; else empty.
    std::vector<std::int64_t> allowed_there, allowed_back;
  };
  struct Lossy {
    std::string name;
    int (*is_default)(const void* state, const void* defaults);
  };

  StateMover() = default;
  void add(const module::FieldAction& action);

  const baton_schema* from_ = nullptr;
  const baton_schema* to_ = nullptr;
  std::string from_version_, to_version_;
  bool adopts_ = false;
  bool has_hook_ = false;
  int (*change_)(void*, const baton_view*, const char*, baton_error*) = nullptr;
  int (*revert_)(const void*, const baton_view*, const char*, baton_error*) = nullptr;
  std::uint64_t (*loss_)(const void*, const char*, baton_error*) = nullptr;
  void (*discard_)(void*, const char*) = nullptr;
  std::vector<Move> moves_;
  std::vector<Copy> copies_;
  std::vector<Conversion> conversions_;
  std::vector<Lossy> lossy_;
};

}  // namespace baton::takeover
