#include "takeover/mail_mover.h"

#include "base/check.h"
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

// Atoms are hashes, so that a table of its own tells nothing else.
term::Block parse_default(const std::string& text) {
  term::AtomTable atoms;
  auto value = term::parse(text, atoms);
  BATON_CHECK(value.ok(), "a default that the note's parser did not refuse");
  return std::move(value).value();
}

}  // namespace

baton_term ShallowTerm::root() const {
  return words_.size() == 1 ? words_[0] : term::boxed_at(words_.data());
}

MailMover::MailMover(const std::vector<MessageChange>& changes) {
  for (const MessageChange& change : changes) {
    forms_.push_back(form_of(change));
    is_idle_ = is_idle_ && change.outcome == MessageOutcome::kSame;
  }
}

MailMover::Form MailMover::form_of(const MessageChange& change) {
  Form form{.kind = change.from.kind,
            .title = change.title(),
            .name = term::atom(change.from.name),
            .is_struct = false,
            .members = {},
            .outcome = change.outcome,
            .is_same_term = change.from.name == change.to.name,
            .to_name = term::atom(change.to.name),
            .sources = {},
            .reasons = {}};
  const auto members = module::members_of(change.from.type_text);
  form.is_struct = members.has_value();
  if (members)
    for (const module::MessageMember& member : *members)
      form.members.push_back(WireType::of(member.type));
  else
    form.members.push_back(WireType::of(change.from.type_text));
  for (const std::string& reason : change.reasons)
    form.reasons += (form.reasons.empty() ? "" : "; ") + reason;
  if (form.outcome != MessageOutcome::kDerivable) return form;

  const auto entered = module::members_of(change.to.type_text);
  BATON_CHECK(members && entered, "only structs are derivable");
  form.is_same_term = form.is_same_term && members->size() == entered->size();
  for (const FieldAction& action : change.actions) {
    if (action.step == FieldStep::kDrop) continue;
    BATON_CHECK(action.to == form.sources.size(), "one action for each member, in their order");
    const module::MessageMember& to = entered->at(action.to);
    Source source{action.from, {}, {}, std::string(to.name), {}};
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
  if (root == name) return members.empty();
  const auto tuple = term::as_tuple(root);
  if (!tuple || tuple->size() != members.size() + 1 || (*tuple)[0] != name) return false;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (!members[i].fits((*tuple)[i + 1])) return false;
  return true;
}

MailMover::Verdict MailMover::judge(std::uint8_t kind, baton_term root, ShallowTerm& made) const {
  const auto wanted = contract_kind(kind);
  if (!wanted) return {Fate::kStays, nullptr};
  for (const Form& form : forms_) {
    if (form.kind != *wanted || !form.is_form_of(root)) continue;
    switch (form.outcome) {
      case MessageOutcome::kSame: return {Fate::kStays, nullptr};
      case MessageOutcome::kDerivable: return move(form, root, made);
      case MessageOutcome::kImpossible: return {Fate::kStuck, &form.title, form.reasons};
    }
  }
  return {Fate::kStays, nullptr};
}

MailMover::Verdict MailMover::move(const Form& form, baton_term root, ShallowTerm& made) const {
  const term::TupleView from = members_of(root);
  for (const Source& source : form.sources)
    if (source.check && !source.check->keeps(from[source.from]))
      return {Fate::kStuck, &form.title,
              "the value of member " + source.name + " does not fit " + source.type};
  if (form.is_same_term) return {Fate::kStays, nullptr};
  made.words_.clear();
  if (form.sources.empty()) {
    made.words_.push_back(form.to_name);
    return {Fate::kMoves, nullptr};
  }
  made.words_.push_back(term::make_header(BATON_KIND_TUPLE, form.sources.size() + 1));
  made.words_.push_back(form.to_name);
  for (const Source& source : form.sources)
    made.words_.push_back(source.from == module::kNoField ? source.value.root()
                                                          : from[source.from]);
  return {Fate::kMoves, nullptr};
}

}  // namespace baton::takeover
