#include "module/evolution.h"

#include "base/check.h"
#include "module/message_form.h"
#include "module/scalar.h"

#include <algorithm>
#include <set>
#include <utility>

namespace baton::module {

namespace {

// Pairs the fields of two versions: by name, then those that are left by the newer one's older
// name.
std::vector<std::uint32_t> partners(const SchemaDescription& from, const SchemaDescription& to,
                                    Direction direction) {
  std::vector<std::uint32_t> partner(to.fields.size(), kNoField);
  std::set<std::uint32_t> taken;
  const auto pair_if = [&](auto&& match) {
    for (std::uint32_t t = 0; t < to.fields.size(); ++t)
      for (std::uint32_t f = 0; f < from.fields.size() && partner[t] == kNoField; ++f)
        if (!taken.contains(f) && match(from.fields[f], to.fields[t])) {
          partner[t] = f;
          taken.insert(f);
        }
  };
  pair_if([](const FieldDescription& f, const FieldDescription& t) { return f.name == t.name; });
  pair_if([&](const FieldDescription& f, const FieldDescription& t) {
    return direction == Direction::kUp ? t.renamed_from == f.name : f.renamed_from == t.name;
  });
  return partner;
}

bool widens(const FieldDescription& from, const FieldDescription& to) {
  return is_widening(ScalarType{from.scalar, from.type_text}, ScalarType{to.scalar, to.type_text});
}

class Comparison {
 public:
  Comparison(const SchemaDescription& from, const SchemaDescription& to, Direction direction)
      : from_(from), to_(to), direction_(direction) {}

  StateChange run() {
    result_.direction = direction_;
    if (from_.fingerprint == to_.fingerprint) {
      result_.outcome = Outcome::kAdopt;
      return std::move(result_);
    }
    const SchemaDescription& newer = is_up() ? to_ : from_;
    if (is_up() ? newer.has_change : newer.has_revert)
      result_.hook = is_up() ? Hook::kChange : Hook::kRevert;
    const std::vector<std::uint32_t> partner = partners(from_, to_, direction_);
    for (std::uint32_t t = 0; t < to_.fields.size(); ++t) entered(t, partner[t]);
    for (std::uint32_t f = 0; f < from_.fields.size(); ++f)
      if (std::find(partner.begin(), partner.end(), f) == partner.end()) left(f);
    result_.outcome = result_.reasons.empty() ? Outcome::kMigrate : Outcome::kImpossible;
    return std::move(result_);
  }

 private:
  bool is_up() const { return direction_ == Direction::kUp; }

  void entered(std::uint32_t to_index, std::uint32_t from_index) {
    const FieldDescription& to = to_.fields[to_index];
    FieldAction action;
    action.to = to_index;
    action.from = from_index;
    if (from_index == kNoField) {
      action.step = FieldStep::kFresh;
      action.text = to.name + ": " + to.type_text + " with its default";
      result_.actions.push_back(std::move(action));
      return;
    }
    const FieldDescription& from = from_.fields[from_index];
    const std::string label = from.name == to.name ? to.name : to.name + " (was " + from.name + ")";
    if (from.type == to.type && from.size == to.size && from.scalar == to.scalar) {
      action.step = to.scalar == BATON_SCALAR_NONE ? FieldStep::kMove : FieldStep::kCopy;
      action.text =
          label + ": " + to.type_text + (action.step == FieldStep::kMove ? " moved" : " copied");
    } else if (widens(from, to)) {
      action.step = FieldStep::kConvert;
      action.text = label + ": " + from.type_text + " -> " + to.type_text + " converted";
    } else if (!is_up() && widens(to, from)) {
      action.step = FieldStep::kConvert;
      action.is_checked = true;
      action.text =
          label + ": " + from.type_text + " -> " + to.type_text + " converted if the value fits";
    } else {
      action.step = FieldStep::kHook;
      action.text = label + ": " + from.type_text + " -> " + to.type_text + " by " + hook_name();
      if (result_.hook == Hook::kNone)
        result_.reasons.push_back("field " + label + ": " + from.type_text + " -> " + to.type_text +
                                  " cannot be derived; cure: give the newer version " +
                                  hook_name());
    }
    result_.actions.push_back(std::move(action));
  }

  void left(std::uint32_t from_index) {
    const FieldDescription& from = from_.fields[from_index];
    FieldAction action;
    action.step = FieldStep::kDrop;
    action.from = from_index;
    action.is_lossy = !is_up() && !from.is_disposable();
    action.text = from.name + ": " + from.type_text +
                  (action.is_lossy ? " lost unless it is at its default" : " dropped");
    if (is_up() &&
        std::find(to_.dropped.begin(), to_.dropped.end(), from.name) == to_.dropped.end())
      result_.reasons.push_back(
          "field " + from.name +
          " is gone; cure: declare it dropped, or renamed_from in the field that holds it now");
    result_.actions.push_back(std::move(action));
  }

  std::string hook_name() const { return is_up() ? "code_change" : "code_revert"; }

  const SchemaDescription& from_;
  const SchemaDescription& to_;
  const Direction direction_;
  StateChange result_;
};

class MessageComparison {
 public:
  MessageComparison(const ContractMessage& from, const ContractMessage& to, Direction direction)
      : from_(from),
        to_(to),
        direction_(direction),
        has_hook_(is_up() ? to.has_change : from.has_revert) {}

  MessageChange run() {
    result_.direction = direction_;
    result_.from = from_;
    result_.to = to_;
    if (from_.name == to_.name && from_.type_text == to_.type_text) return same();
    const auto from = members_of(from_.type_text), to = members_of(to_.type_text);
    if (!from || !to) {
      if (is_widening(from_.type_text, to_.type_text)) return same();
      result_.reasons.push_back(result_.title() + ": " + from_.type_text + " -> " + to_.type_text +
                                " cannot be derived; cure: give the new form another name");
      return std::move(result_);
    }
    const std::vector<std::uint32_t> partner = partners(*from, *to);
    for (std::uint32_t t = 0; t < to->size(); ++t) entered(*from, *to, t, partner[t]);
    for (std::uint32_t f = 0; f < from->size(); ++f)
      if (std::find(partner.begin(), partner.end(), f) == partner.end()) left((*from)[f], f);
    if (from_.name == to_.name && are_alike(*from, *to, partner))
      result_.reasons.push_back(
          result_.title() +
          ": its older and its newer form are alike in shape but not in meaning; cure: give the "
          "newer one another name");
    result_.outcome = !result_.reasons.empty() ? MessageOutcome::kImpossible
                      : has_hook_              ? MessageOutcome::kByHook
                                               : MessageOutcome::kDerivable;
    return std::move(result_);
  }

 private:
  using Members = std::vector<MessageMember>;

  bool is_up() const { return direction_ == Direction::kUp; }
  MessageChange same() {
    result_.outcome = MessageOutcome::kSame;
    return std::move(result_);
  }

  // By name, then those that are left by the newer one's older name.
  std::vector<std::uint32_t> partners(const Members& from, const Members& to) const {
    std::vector<std::uint32_t> partner(to.size(), kNoField);
    const auto pair_if = [&](auto&& match) {
      for (std::uint32_t t = 0; t < to.size(); ++t)
        for (std::uint32_t f = 0; f < from.size() && partner[t] == kNoField; ++f)
          if (match(from[f].name, to[t].name) &&
              std::find(partner.begin(), partner.end(), f) == partner.end())
            partner[t] = f;
    };
    pair_if([](std::string_view f, std::string_view t) { return f == t; });
    pair_if([&](std::string_view f, std::string_view t) {
      return is_up() ? was(to_, t) == f : was(from_, f) == t;
    });
    return partner;
  }
  static std::string_view was(const ContractMessage& message, std::string_view member) {
    const MemberNote* const note = message.member(member);
    return note != nullptr ? std::string_view(note->renamed_from) : std::string_view();
  }

  // Whether one term may be of both forms although its members are not the same ones, or do not
  // mean the same, since a hook is to make the one of the other.
  bool are_alike(const Members& from, const Members& to,
                 const std::vector<std::uint32_t>& partner) const {
    if (from.size() != to.size()) return false;
    bool is_identity = true;
    for (std::uint32_t t = 0; t < to.size(); ++t) {
      if (!overlap(WireType::of(from[t].type), WireType::of(to[t].type))) return false;
      is_identity = is_identity && partner[t] == t &&
                    !(has_hook_ && result_.actions[t].step == FieldStep::kHook);
    }
    return !is_identity;
  }

  void entered(const Members& all_from, const Members& all_to, std::uint32_t to_index,
               std::uint32_t from_index) {
    const MessageMember& to = all_to[to_index];
    const std::string to_name(to.name), to_type(to.type);
    FieldAction action;
    action.to = to_index;
    action.from = from_index;
    if (from_index == kNoField) {
      const MemberNote* const note = to_.member(to.name);
      const bool has_default = note != nullptr && !note->default_text.empty();
      action.step = has_default ? FieldStep::kFresh : FieldStep::kHook;
      action.text = to_name + ": " + to_type +
                    (has_default ? " with its default, " + note->default_text
                     : has_hook_ ? " by " + hook_name()
                                 : " with its default");
      if (!has_default && !has_hook_)
        result_.reasons.push_back("member " + to_name + ": " + to_type +
                                  " is not in the form that is left, and its note has no default; "
                                  "cure: build it with an SDK of ABI 1.1 or newer, with members "
                                  "whose defaults are constants, or give the newer version " +
                                  hook_name());
      result_.actions.push_back(std::move(action));
      return;
    }
    const MessageMember& from = all_from[from_index];
    const std::string from_type(from.type);
    const std::string label =
        from.name == to.name ? to_name : to_name + " (was " + std::string(from.name) + ")";
    if (from.type == to.type) {
      action.step = FieldStep::kCopy;
      action.text = label + ": " + to_type + " copied";
    } else if (is_widening(from.type, to.type)) {
      action.step = FieldStep::kConvert;
      action.text = label + ": " + from_type + " -> " + to_type + " converted";
    } else if (!is_up() && is_widening(to.type, from.type)) {
      action.step = FieldStep::kConvert;
      action.is_checked = true;
      action.text = label + ": " + from_type + " -> " + to_type + " converted if the value fits";
    } else {
      action.step = FieldStep::kHook;
      action.text = label + ": " + from_type + " -> " + to_type;
      if (!has_hook_)
        result_.reasons.push_back("member " + action.text +
                                  " cannot be derived; cure: give the message another name, or "
                                  "the newer version " +
                                  hook_name());
      else
        action.text += " by " + hook_name();
    }
    result_.actions.push_back(std::move(action));
  }

  void left(const MessageMember& from, std::uint32_t from_index) {
    const std::string name(from.name);
    FieldAction action;
    action.step = FieldStep::kDrop;
    action.from = from_index;
    action.is_lossy = !is_up();
    action.text = name + ": " + std::string(from.type) + " dropped";
    if (is_up() && std::find(to_.dropped.begin(), to_.dropped.end(), name) == to_.dropped.end())
      result_.reasons.push_back(
          "member " + name +
          " is gone; cure: declare it dropped, or renamed in the member that holds it now");
    result_.actions.push_back(std::move(action));
  }

  std::string hook_name() const { return is_up() ? "message_change" : "message_revert"; }

  const ContractMessage& from_;
  const ContractMessage& to_;
  const Direction direction_;
  const bool has_hook_;
  MessageChange result_;
};

// What becomes of one form: what takes it as it is, else what it can be made into, else the reasons
// of the nearest.
MessageChange mail_change(const BehaviourNote& left, std::uint32_t index, const BehaviourNote& to,
                          Direction direction) {
  const ContractMessage& from = left.messages[index];
  MessageChange best;
  best.direction = direction;
  best.from = from;
  const auto better = [&](const ContractMessage& t) {
    MessageChange change = MessageComparison(from, t, direction).run();
    if (change.outcome == MessageOutcome::kByHook)
      change.hook =
          direction == Direction::kUp ? static_cast<std::uint32_t>(&t - to.messages.data()) : index;
    if (best.to.name.empty() || change.outcome < best.outcome) best = std::move(change);
  };
  for (const ContractMessage& t : to.messages) {
    if (t.kind != from.kind) continue;
    const bool is_renamed =
        direction == Direction::kUp ? t.renamed_from == from.name : from.renamed_from == t.name;
    if (t.name == from.name || is_renamed) better(t);
  }
  if (best.outcome == MessageOutcome::kImpossible && best.to.name.empty())
    for (const ContractMessage& t : to.messages)
      if (t.kind == from.kind && is_widening(from.type_text, t.type_text)) better(t);
  if (best.outcome == MessageOutcome::kImpossible)
    for (const ContractMessage& t : to.messages)
      if (t.kind == from.kind && t.type_text == "term") {
        best.outcome = MessageOutcome::kSame;
        best.to = t;
        best.actions.clear();
        best.reasons.clear();
      }
  if (best.outcome == MessageOutcome::kImpossible && best.to.name.empty())
    best.reasons.push_back(
        best.title() + " is no longer taken; cure: keep it in the contract for one more version");
  return best;
}

StateChange restart(Direction direction, std::string reason) {
  StateChange change;
  change.direction = direction;
  change.outcome = Outcome::kRestart;
  change.reasons.push_back(std::move(reason));
  return change;
}

StateChange compare_behaviours(const ModuleNote& from, const ModuleNote& to,
                               const std::string& name, Direction direction) {
  const BehaviourNote *f = from.behaviour(name), *t = to.behaviour(name);
  if (f == nullptr)
    return restart(direction, "version " + from.version + " has no behaviour " + name);
  if (t == nullptr)
    return restart(direction, "version " + to.version + " has no behaviour " + name);
  if (t->kind != f->kind)
    return restart(direction, "behaviour " + name + " is of another kind in version " + to.version);
  if (!f->schema || !t->schema)
    return restart(direction, "behaviour " + name +
                                  " is a coroutine process: its frame is code of version " +
                                  from.version);
  StateChange change = compare(*f->schema, *t->schema, direction);
  if (change.outcome == Outcome::kImpossible && f->library != t->library)
    change.reasons.push_back("the versions are built with different standard libraries (" +
                             f->library + ", " + t->library + "); cure: build both alike");
  return change;
}

Direction opposite(Direction direction) {
  return direction == Direction::kUp ? Direction::kDown : Direction::kUp;
}

}  // namespace

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAdopt: return "adopt";
    case Outcome::kMigrate: return "migrate";
    case Outcome::kRestart: return "restart";
    case Outcome::kImpossible: return "impossible";
  }
  BATON_CHECK(false, "an Outcome without a name");
  return "";
}

const char* field_step_name(FieldStep step) {
  switch (step) {
    case FieldStep::kCopy: return "copy";
    case FieldStep::kConvert: return "convert";
    case FieldStep::kMove: return "move";
    case FieldStep::kHook: return "hook";
    case FieldStep::kFresh: return "fresh";
    case FieldStep::kDrop: return "drop";
  }
  BATON_CHECK(false, "a FieldStep without a name");
  return "";
}

const char* message_outcome_name(MessageOutcome outcome) {
  switch (outcome) {
    case MessageOutcome::kSame: return "same";
    case MessageOutcome::kDerivable: return "derivable";
    case MessageOutcome::kByHook: return "by hook";
    case MessageOutcome::kImpossible: return "impossible";
  }
  BATON_CHECK(false, "a MessageOutcome without a name");
  return "";
}

std::string MessageChange::title() const {
  return std::string(message_kind_name(from.kind)) + " " + from.name;
}

std::vector<MessageChange> compare_mail(const BehaviourNote& from, const BehaviourNote& to,
                                        Direction direction) {
  std::vector<MessageChange> changes;
  for (std::uint32_t i = 0; i < from.messages.size(); ++i)
    changes.push_back(mail_change(from, i, to, direction));
  return changes;
}

StateChange compare(const SchemaDescription& from, const SchemaDescription& to,
                    Direction direction) {
  return Comparison(from, to, direction).run();
}

Evolution compare(const ModuleNote& from, const ModuleNote& to, Direction direction) {
  Evolution evolution;
  evolution.direction = direction;
  for (const BehaviourNote& behaviour : from.behaviours) {
    BehaviourChange change{behaviour.name, compare_behaviours(from, to, behaviour.name, direction),
                           compare_behaviours(to, from, behaviour.name, opposite(direction))};
    const BehaviourNote* const entered = to.behaviour(behaviour.name);
    if (entered != nullptr && entered->kind == behaviour.kind) {
      change.mail_there = compare_mail(behaviour, *entered, direction);
      change.mail_back = compare_mail(*entered, behaviour, opposite(direction));
    }
    evolution.behaviours.push_back(std::move(change));
  }
  evolution.contract = compare_contracts(from, to);
  evolution.contract_back = compare_contracts(to, from);
  return evolution;
}

const BehaviourChange* Evolution::behaviour(std::string_view name) const {
  const auto found = std::find_if(behaviours.begin(), behaviours.end(),
                                  [&](const BehaviourChange& b) { return b.behaviour == name; });
  return found == behaviours.end() ? nullptr : &*found;
}

Evolution Evolution::inverse() const {
  Evolution back = *this;
  back.direction = opposite(direction);
  for (BehaviourChange& change : back.behaviours) {
    std::swap(change.there, change.back);
    std::swap(change.mail_there, change.mail_back);
  }
  std::swap(back.contract, back.contract_back);
  return back;
}

}  // namespace baton::module
