#include "takeover/mail_mover.h"

#include "base/check.h"
#include "runtime/errand.h"
#include "term/atom.h"
#include "term/atom_table.h"
#include "term/layout.h"
#include "term/text.h"

#include <algorithm>

namespace baton::takeover {

namespace {

using module::FieldAction;
using module::FieldStep;
using module::MessageChange;
using module::MessageKind;
using module::MessageOutcome;
using module::WireType;

// Nothing: no contract speaks of messages of that kind.
std::optional<MessageKind> contract_kind(std::uint8_t kind) {
  switch (kind) {
    case BATON_CALL: return MessageKind::kCall;
    case BATON_CAST: return MessageKind::kCast;
    case BATON_MESSAGE:
    case BATON_TIMEOUT: return MessageKind::kInfo;
    default: return std::nullopt;
  }
}

// The members of a message's term: those of {name, Members...}, none of an atom.
term::TupleView members_of(baton_term root) {
  const auto tuple = term::as_tuple(root);
  return tuple ? tuple->subspan(1) : term::TupleView();
}

std::vector<WireType> types_of(const std::vector<module::MessageMember>& members) {
  std::vector<WireType> types;
  for (const module::MessageMember& member : members) types.push_back(WireType::of(member.type));
  return types;
}

// Whether it is {name, Members...} of these types, or the name alone.
bool is_struct_of(baton_term root, baton_term name, const std::vector<WireType>& members) {
  if (root == name) return members.empty();
  const auto tuple = term::as_tuple(root);
  if (!tuple || tuple->size() != members.size() + 1 || (*tuple)[0] != name) return false;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (!members[i].fits((*tuple)[i + 1])) return false;
  return true;
}

// Atoms are hashes, so that a table of its own tells nothing else.
term::Block parse_default(const std::string& text) {
  term::AtomTable atoms;
  auto value = term::parse(text, atoms);
  BATON_CHECK(value.ok(), "a default that the note's parser did not refuse");
  return std::move(value).value();
}

}  // namespace

const baton_term* ShallowTerm::members() const {
  return words_.size() == 1 ? nullptr : words_.data() + 2;
}

baton_term ShallowTerm::root() const {
  return words_.size() == 1 ? words_[0] : term::boxed_at(words_.data());
}

MailMover::Hooks MailMover::hooks_of(code::Version& from, code::Version& to,
                                     module::Direction direction, std::string_view behaviour) {
  code::Version& newer = direction == module::Direction::kUp ? to : from;
  return {&newer, newer.behaviour(behaviour), from.number(), to.number()};
}

MailMover::MailMover(const std::vector<MessageChange>& changes, const Hooks& hooks)
    : newer_(hooks.newer), from_version_(hooks.from), to_version_(hooks.to) {
  for (const MessageChange& change : changes) {
    forms_.push_back(form_of(change, hooks));
    is_idle_ = is_idle_ && change.outcome == MessageOutcome::kSame;
    has_hooks_ = has_hooks_ || change.outcome == MessageOutcome::kByHook;
  }
}

MailMover::Form MailMover::form_of(const MessageChange& change, const Hooks& hooks) {
  Form form{.kind = change.from.kind,
            .title = change.title(),
            .name = term::atom(change.from.name),
            .is_struct = false,
            .members = {},
            .outcome = change.outcome,
            .is_same_term = change.from.name == change.to.name,
            .to_name = term::atom(change.to.name),
            .sources = {},
            .reasons = {},
            .hook = nullptr,
            .hook_name = {},
            .left = {},
            .entered = {},
            .entered_types = {}};
  const auto members = module::members_of(change.from.type_text);
  form.is_struct = members.has_value();
  form.members = members ? types_of(*members) : std::vector{WireType::of(change.from.type_text)};
  for (const std::string& reason : change.reasons)
    form.reasons += (form.reasons.empty() ? "" : "; ") + reason;
  const bool is_by_hook = form.outcome == MessageOutcome::kByHook;
  if (form.outcome != MessageOutcome::kDerivable && !is_by_hook) return form;

  const auto entered = module::members_of(change.to.type_text);
  BATON_CHECK(members && entered, "only structs are derivable");
  if (is_by_hook) {
    const bool is_up = change.direction == module::Direction::kUp;
    if (hooks.newer != nullptr) {
      const baton_message_hooks* const both =
          hooks.newer->message_hooks(*hooks.behaviour, change.hook);
      BATON_CHECK(both != nullptr, "a hook that the note names is in the table");
      form.hook = is_up ? both->change : both->revert;
    }
    form.hook_name = is_up ? "message_change" : "message_revert";
    form.left = Side(change.from.name, *members);
    form.entered = Side(change.to.name, *entered);
    form.entered_types = types_of(*entered);
  }
  form.is_same_term = form.is_same_term && members->size() == entered->size();
  for (const FieldAction& action : change.actions) {
    if (action.step == FieldStep::kDrop) continue;
    BATON_CHECK(action.to == form.sources.size(), "one action for each member, in their order");
    const module::MessageMember& to = entered->at(action.to);
    Source source{action.from, {}, {}, std::string(to.name), {}, action.step == FieldStep::kHook};
    if (action.is_checked) {
      source.check = WireType::of(to.type);
      source.type = to.type;
    }
    if (action.step == FieldStep::kFresh)
      source.value = parse_default(change.to.member(to.name)->default_text);
    form.is_same_term = form.is_same_term && action.from == action.to;
    form.sources.push_back(std::move(source));
  }
  return form;
}

bool MailMover::Form::is_form_of(baton_term root) const {
  if (!is_struct) return members[0].fits(root);
  return is_struct_of(root, name, members);
}

MailMover::Side::Side(std::string name_of, const std::vector<module::MessageMember>& members)
    : name(std::move(name_of)) {
  for (const module::MessageMember& member : members) texts.emplace_back(member.name);
  for (const std::string& text : texts) names.push_back(text.c_str());
}

baton_form MailMover::Side::form(const std::string& version, const baton_term* members) const {
  return {.struct_size = sizeof(baton_form),
          .member_count = static_cast<std::uint32_t>(names.size()),
          .name = name.c_str(),
          .version = version.c_str(),
          .names = names.data(),
          .members = members};
}

MailMover::Verdict MailMover::judge(std::uint8_t kind, baton_term root, ShallowTerm& made) const {
  const auto wanted = contract_kind(kind);
  if (!wanted) return {Fate::kStays, nullptr};
  for (const Form& form : forms_) {
    if (form.kind != *wanted || !form.is_form_of(root)) continue;
    switch (form.outcome) {
      case MessageOutcome::kSame: return {Fate::kStays, nullptr};
      case MessageOutcome::kDerivable:
      case MessageOutcome::kByHook: return move(form, root, made);
      case MessageOutcome::kImpossible: return {Fate::kStuck, &form.title, form.reasons};
    }
  }
  return {Fate::kStays, nullptr};
}

MailMover::Verdict MailMover::move(const Form& form, baton_term root, ShallowTerm& made) {
  const term::TupleView from = members_of(root);
  const bool is_by_hook = form.outcome == MessageOutcome::kByHook;
  const auto is_kept = [&](const Source& source) {
    return !source.check || source.check->keeps(from[source.from]);
  };
  for (const Source& source : form.sources)
    if (!is_by_hook && !is_kept(source))
      return {Fate::kStuck, &form.title,
              "the value of member " + source.name + " does not fit " + source.type};
  if (form.is_same_term && !is_by_hook) return {Fate::kStays, nullptr};
  const Verdict verdict{
      is_by_hook ? Fate::kByHook : Fate::kMoves, &form.title, {}, is_by_hook ? &form : nullptr};
  made.words_.clear();
  if (form.sources.empty()) {
    made.words_.push_back(form.to_name);
    return verdict;
  }
  made.words_.push_back(term::make_header(BATON_KIND_TUPLE, form.sources.size() + 1));
  made.words_.push_back(form.to_name);
  for (const Source& source : form.sources)
    made.words_.push_back(source.is_of_hook || !is_kept(source) ? BATON_NO_TERM
                          : source.from == module::kNoField     ? source.value.root()
                                                                : from[source.from]);
  return verdict;
}

MailMover::Hooked MailMover::run_hook(runtime::Context& context, runtime::Process* parked,
                                      const Verdict& verdict, baton_term root,
                                      const ShallowTerm& made, runtime::Message*& answer,
                                      std::string& why) const {
  const Form& form = *verdict.by_hook;
  BATON_CHECK(form.hook != nullptr, "only where the newer version is loaded are its hooks called");
  const baton_form from = form.left.form(from_version_, members_of(root).data());
  const baton_form to = form.entered.form(to_version_, made.members());
  char text[runtime::kErrorTextBytes];
  baton_error error{sizeof text, 0, text};
  const auto call = [&] { answer = form.hook(&context, &from, &to, &error); };
  if (context.current != nullptr) {
    call();
  } else if (!runtime::call_hook(context, parked, newer_, form.hook_name.c_str(), call)) {
    if (answer != nullptr) context.release(answer);
    return Hooked::kLeft;
  }
  if (answer == nullptr) {
    why = form.hook_name + ": " +
          (error.length == 0 ? "it gave no reason"
                             : std::string(text, std::min(error.length, error.capacity)));
    return Hooked::kRefused;
  }
  if (is_struct_of(answer->root, form.to_name, form.entered_types)) return Hooked::kMade;
  context.release(answer);
  why = form.hook_name + ": what it made is not in the form wanted, " + form.entered.name + " of " +
        to_version_;
  return Hooked::kRefused;
}

}  // namespace baton::takeover
