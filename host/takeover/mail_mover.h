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
//   by hook             is derived as far as that goes, and made whole by the newer version's hook;
//                       is stuck if the hook refuses, or what it makes is not the form wanted
//   impossible          is stuck
//
// A number is the same term whatever the width of its type, so a conversion is a check: an integer
// out of range and a double that no f32 holds are stuck, never rounded and never left as they are.
//
// What is dropped on the way down is not kept for the way up: its default takes its place there.
//
// Ownership: owns all it needs but the hooks, which are code of the newer version.
// Threads:   constant after construction; any thread.
#pragma once

#include "module/evolution.h"
#include "module/message_form.h"
#include "runtime/context.h"
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
  /// Those of a tuple behind its name.
  const baton_term* members() const;

 private:
  friend class MailMover;
  boost::container::small_vector<baton_term, 24> words_;  // an immediate, or a tuple's
};

class MailMover {
 public:
  /// Where the hooks are that the changes name.
  struct Hooks {
    code::Version* newer = nullptr;  // of the two; null: none is called
    const baton_behaviour* behaviour = nullptr;
    std::string from{}, to{};  // the numbers of the versions whose forms they are
  };
  /// Those of a behaviour that goes from the one version to the other, up or down.
  static Hooks hooks_of(code::Version& from, code::Version& to, module::Direction direction,
                        std::string_view behaviour);

  /// `changes` are those of all forms of the behaviour that is left, in their order.
  explicit MailMover(const std::vector<module::MessageChange>& changes) : MailMover(changes, {}) {}
  MailMover(const std::vector<module::MessageChange>& changes, const Hooks& hooks);

  /// Every message stays.
  bool is_idle() const { return is_idle_; }
  /// Some messages take as long as a module likes.
  bool has_hooks() const { return has_hooks_; }

 private:
  struct Form;

 public:
  enum class Fate { kStays, kMoves, kByHook, kStuck };
  struct Verdict {
    Fate fate;
    const std::string* form;  // "call order", of what is stuck or for a hook
    std::string why{};        // of what is stuck
    const Form* by_hook = nullptr;
  };
  /// What becomes of a message of that kind (BATON_CALL ...) with that root. Of kMoves: what it
  /// becomes, in `made`, which borrows from the root and from this. Of kByHook: as much of it as is
  /// derived.
  Verdict judge(std::uint8_t kind, baton_term root, ShallowTerm& made) const;
  enum class Hooked {
    kMade,     // `answer` is a block whose root is the whole message, and the caller's
    kRefused,  // by the hook, or what it made is not the form wanted; `why` says so
    kLeft,     // the errand was left meanwhile (runtime/errand.h): of it all nothing may be touched
  };
  /// Of kByHook. Runs code of the module for as long as that likes: within a process's turn as a
  /// part of its callback, else as a hook that can be left, where `parked`, or null, is the process
  /// whose mail it reads. Requires: the newer version is loaded.
  Hooked run_hook(runtime::Context& context, runtime::Process* parked, const Verdict& verdict,
                  baton_term root, const ShallowTerm& made, runtime::Message*& answer,
                  std::string& why) const;

 private:
  struct Source {
    std::uint32_t from;                     // member; kNoField: its default
    std::optional<module::WireType> check;  // the type that it has to fit
    std::string type;                       // that type's text, where it is checked
    std::string name;
    term::Block value;  // the default
    bool is_of_hook;    // nothing is derived
  };
  // One of the two forms that a hook is told of.
  struct Side {
    Side() = default;
    Side(std::string name_of, const std::vector<module::MessageMember>& members);
    Side(Side&&) = default;
    Side& operator=(Side&&) = default;
    baton_form form(const std::string& version, const baton_term* members) const;

    std::string name;
    std::vector<std::string> texts;
    std::vector<const char*> names;  // of the texts
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
    // Of kByHook.
    baton_message_hook hook;
    std::string hook_name;
    Side left, entered;
    std::vector<module::WireType> entered_types;

    bool is_form_of(baton_term root) const;
  };
  static Form form_of(const module::MessageChange& change, const Hooks& hooks);
  static Verdict move(const Form& form, baton_term root, ShallowTerm& made);

  std::vector<Form> forms_;
  code::Version* const newer_;  // whose hooks are called
  std::string from_version_, to_version_;
  bool is_idle_ = true;
  bool has_hooks_ = false;
};

}  // namespace baton::takeover
