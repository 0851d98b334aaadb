// MailMover: turns one message of one version's form into another's: what a StateMover is for
// states.
//
// It carries out the module::MessageChanges of one behaviour, one way. A message is known by its
// kind (call, cast, or any other), its name, the number of its members and their types; what is of
// none of the forms that are left stays as it is, since nobody knows what it means.
//
//   the form is         the message
//   the same            stays: the other version takes it
//   derivable           is moved: members by name, converted, with their defaults, or dropped; or
//                       stays, where the term is the same in both
//                       is stuck: on the way down, where a value does not fit
//   impossible          is stuck
//
// A number is the same term whatever the width of its type, so a conversion is a check: an integer
// out of range and a double that no f32 holds are stuck, never rounded and never left as they are.
//
// What is dropped on the way down is not kept for the way up: its default takes its place there.
//
// Ownership: owns all it needs; the versions may go.
// Threads:   constant after construction; any thread.
#pragma once

#include "module/evolution.h"
#include "module/message_form.h"
#include "term/block.h"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace baton::takeover {

/// A term of words of its own that points into what it was made of, to be copied.
class ShallowTerm {
 public:
  baton_term root() const;

 private:
  friend class MailMover;
  boost::container::small_vector<baton_term, 24> words_;  // an immediate, or a tuple's
};

class MailMover {
 public:
  /// `changes` are those of all forms of the behaviour that is left, in their order.
  explicit MailMover(const std::vector<module::MessageChange>& changes);

  /// Every message stays.
  bool is_idle() const { return is_idle_; }

  enum class Fate { kStays, kMoves, kStuck };
  struct Verdict {
    Fate fate;
    const std::string* form;  // "call order", of what is stuck
    std::string why{};        // of what is stuck
  };
  /// What becomes of a message of that kind (BATON_CALL ...) with that root. Of kMoves: what it
  /// becomes, in `made`, which borrows from the root and from this.
  Verdict judge(std::uint8_t kind, baton_term root, ShallowTerm& made) const;

 private:
  struct Source {
    std::uint32_t from;                     // member; kNoField: its default
    std::optional<module::WireType> check;  // the type that it has to fit
    std::string type;                       // that type's text, where it is checked
    std::string name;
    term::Block value;  // the default
  };
  struct Form {
    module::MessageKind kind;
    std::string title;
    baton_term name;
    bool is_struct;
    std::vector<module::WireType> members;  // or the one of the whole
    module::MessageOutcome outcome;
    bool is_same_term;  // what changes is only which values are allowed
    baton_term to_name;
    std::vector<Source> sources;
    std::string reasons;

    bool is_form_of(baton_term root) const;
  };
  static Form form_of(const module::MessageChange& change);
  Verdict move(const Form& form, baton_term root, ShallowTerm& made) const;

  std::vector<Form> forms_;
  bool is_idle_ = true;
};

}  // namespace baton::takeover
