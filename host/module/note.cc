#include "module/note.h"

#include "module/elf.h"
#include "module/message_form.h"
#include "term/atom_table.h"
#include "term/text.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

namespace baton::module {

namespace {

constexpr std::string_view kFirstLine = "baton-note 1";
constexpr std::string_view kCure =
    "build the module with this host's SDK, or correct its BATON_NOTE";

// Takes the next word off `rest`; empty when there is none.
std::string_view word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view first = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return first;
}

template <class N>
bool read_number(std::string_view text, N& value, int base = 10) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Sixteen hexadecimal digits, as fingerprints and types are written.
bool read_hash(std::string_view text, std::uint64_t& value) {
  return text.size() == 16 && read_number(text, value, 16);
}

bool read_abi_version(std::string_view text, AbiVersion& abi) {
  const std::size_t dot = text.find('.');
  return dot != text.npos && read_number(text.substr(0, dot), abi.major) &&
         read_number(text.substr(dot + 1), abi.minor);
}

// A descriptor is lines, each ended by a newline (the last one may be without), then zeros.
class Lines {
 public:
  explicit Lines(std::string_view descriptor)
      : rest_(descriptor.substr(0, descriptor.find('\0'))) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return true;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

class Parser {
 public:
  Parser(std::string_view descriptor, std::string_view name)
      : descriptor_(descriptor), name_(name), lines_(descriptor) {}

  Result<ModuleNote> run() {
    if (descriptor_.size() > kNoteBytesMax)
      return refuse(name_, "note",
                    "it has " + std::to_string(descriptor_.size()) + " bytes, more than " +
                        std::to_string(kNoteBytesMax),
                    kCure);
    const std::size_t text_size = std::min(descriptor_.find('\0'), descriptor_.size());
    if (descriptor_.find_first_not_of('\0', text_size) != descriptor_.npos)
      return refuse(name_, "note", "a zero byte stands inside its text", kCure);
    std::string_view line;
    if (!lines_.next(line) || line != kFirstLine)
      return refuse(name_, "note", "line 1: expected \"" + std::string(kFirstLine) + "\"", kCure);
    while (lines_.next(line)) {
      if (line.size() > kNoteLineBytesMax)
        return wrong("the line has more than " + std::to_string(kNoteLineBytesMax) + " bytes");
      std::string_view rest = line;
      const std::string_view first = word(rest);
      BATON_TRY(read_line(first, rest));
    }
    BATON_TRY(end_behaviour());
    for (std::string_view required : {"module", "version", "abi", "build"})
      if (!seen_.contains(required))
        return refuse(name_, "note", "its line \"" + std::string(required) + "\" is missing",
                      kCure);
    return std::move(note_);
  }

 private:
  struct Word {
    std::string_view name;
    Result<void> (Parser::*read)(std::string_view rest);
  };
  static const Word kWords[];
  Result<void> read_line(std::string_view first, std::string_view rest);

  static std::string printable(std::string_view text) {
    std::string out(text.substr(0, 40));
    for (char& c : out)
      if (c < ' ' || c > '~') c = '?';
    return out;
  }

  Error wrong(const std::string& what) const {
    return refuse(name_, "note", "line " + std::to_string(lines_.number()) + ": " + what, kCure);
  }

  Result<void> once(std::string_view line) {
    if (!seen_.insert(line).second) return wrong("\"" + std::string(line) + "\" stands twice");
    if (behaviour_ != nullptr)
      return wrong("\"" + std::string(line) + "\" must stand before the behaviours");
    return {};
  }

  Result<std::string> name(std::string_view& rest, const std::string& what) const {
    const std::string_view text = word(rest);
    if (text.empty() || text.size() > kNoteNameBytesMax)
      return wrong("expected " + what + " of 1 to " + std::to_string(kNoteNameBytesMax) + " bytes");
    for (char c : text)
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
        return wrong(what + " holds a control character");
    return std::string(text);
  }

  Result<std::string> last_name(std::string_view rest, const std::string& what) const {
    BATON_ASSIGN(std::string text, name(rest, what));
    if (!rest.empty()) return wrong("nothing may follow " + what);
    return text;
  }

  Result<void> module(std::string_view rest) {
    BATON_TRY(once("module"));
    BATON_ASSIGN(note_.module, last_name(rest, "the module's name"));
    return {};
  }
  Result<void> version(std::string_view rest) {
    BATON_TRY(once("version"));
    BATON_ASSIGN(note_.version, last_name(rest, "the version"));
    return {};
  }
  Result<void> abi(std::string_view rest) {
    BATON_TRY(once("abi"));
    if (!read_abi_version(rest, note_.abi)) return wrong("expected the ABI as MAJOR.MINOR");
    return {};
  }
  Result<void> build(std::string_view rest) {
    BATON_TRY(once("build"));
    BATON_ASSIGN(note_.build, last_name(rest, "the build's tag"));
    return {};
  }
  Result<void> stateful_globals(std::string_view rest) {
    BATON_TRY(once("stateful_globals"));
    if (!rest.empty()) return wrong("nothing may follow stateful_globals");
    note_.stateful_globals = true;
    return {};
  }

  Result<void> atoms(std::string_view rest) {
    if (behaviour_ != nullptr) return wrong("\"atoms\" must stand before the behaviours");
    while (!rest.empty()) {
      BATON_ASSIGN(std::string atom, name(rest, "an atom"));
      if (note_.atoms.size() == kNoteAtomsMax)
        return wrong("more than " + std::to_string(kNoteAtomsMax) + " atoms");
      note_.atoms.push_back(std::move(atom));
    }
    return {};
  }

  Result<void> behaviour(std::string_view rest) {
    BATON_TRY(end_behaviour());
    BATON_ASSIGN(std::string text, name(rest, "the behaviour's name"));
    if (rest != "gen_server" && rest != "process")
      return wrong("expected the behaviour's kind, gen_server or process");
    if (note_.behaviour(text)) return wrong("the behaviour " + text + " stands twice");
    if (note_.behaviours.size() == kBehavioursMax)
      return wrong("more than " + std::to_string(kBehavioursMax) + " behaviours");
    note_.behaviours.push_back({});
    behaviour_ = &note_.behaviours.back();
    behaviour_->name = std::move(text);
    behaviour_->kind = rest == "gen_server" ? BATON_GEN_SERVER : BATON_PROCESS;
    has_hooks_ = false;
    return {};
  }

  // The checks that need all lines of a behaviour.
  Result<void> end_behaviour() {
    if (behaviour_ == nullptr) return {};
    if (behaviour_->kind == BATON_GEN_SERVER && !behaviour_->schema)
      return wrong("the gen_server " + behaviour_->name + " has no schema line");
    if (behaviour_->schema) {
      auto valid = validate(*behaviour_->schema);
      if (!valid) return wrong(valid.error().message());
    }
    return {};
  }

  Result<void> schema(std::string_view rest) {
    if (behaviour_ == nullptr || behaviour_->schema)
      return wrong("a schema belongs to a behaviour, once");
    if (behaviour_->kind != BATON_GEN_SERVER) return wrong("a process has no state, so no schema");
    SchemaDescription schema;
    BATON_ASSIGN(schema.name, name(rest, "the schema's name"));
    if (!read_hash(word(rest), schema.fingerprint) || !read_number(word(rest), schema.size) ||
        !read_number(word(rest), schema.align) || !read_number(word(rest), schema.revision) ||
        rest.empty())
      return wrong("expected schema NAME FINGERPRINT SIZE ALIGN REVISION LIBRARY");
    behaviour_->library = std::string(rest);
    behaviour_->schema = std::move(schema);
    return {};
  }

  Result<SchemaDescription*> described() {
    if (behaviour_ == nullptr || !behaviour_->schema) return wrong("it must follow a schema line");
    return &*behaviour_->schema;
  }

  Result<void> field(std::string_view rest) {
    BATON_ASSIGN(SchemaDescription * schema, described());
    FieldDescription field;
    BATON_ASSIGN(field.name, name(rest, "the field's name"));
    if (!read_hash(word(rest), field.type) || !read_number(word(rest), field.offset) ||
        !read_number(word(rest), field.size) || !read_number(word(rest), field.scalar) ||
        !read_number(word(rest), field.flags) || rest.empty())
      return wrong("expected field NAME TYPE OFFSET SIZE SCALAR FLAGS TYPE_TEXT");
    if (schema->fields.size() == kFieldsMax)
      return wrong("more than " + std::to_string(kFieldsMax) + " fields");
    field.type_text = std::string(rest);
    schema->fields.push_back(std::move(field));
    return {};
  }

  Result<void> renamed(std::string_view rest) {
    BATON_ASSIGN(SchemaDescription * schema, described());
    BATON_ASSIGN(std::string now, name(rest, "the field's name"));
    BATON_ASSIGN(std::string before, last_name(rest, "the field's older name"));
    for (FieldDescription& field : schema->fields) {
      if (field.name != now) continue;
      if (!field.renamed_from.empty()) return wrong("the field " + now + " is renamed twice");
      field.renamed_from = std::move(before);
      return {};
    }
    return wrong("there is no field " + now + " above");
  }

  Result<void> dropped(std::string_view rest) {
    BATON_ASSIGN(SchemaDescription * schema, described());
    BATON_ASSIGN(std::string text, last_name(rest, "the dropped field's name"));
    if (schema->dropped.size() == kFieldsMax)
      return wrong("more than " + std::to_string(kFieldsMax) + " dropped fields");
    schema->dropped.push_back(std::move(text));
    return {};
  }

  Result<void> hooks(std::string_view rest) {
    BATON_ASSIGN(SchemaDescription * schema, described());
    if (has_hooks_) return wrong("\"hooks\" stands twice");
    has_hooks_ = true;
    while (!rest.empty()) {
      const std::string_view hook = word(rest);
      bool* flag = hook == "change"   ? &schema->has_change
                   : hook == "revert" ? &schema->has_revert
                   : hook == "loss"   ? &schema->has_loss
                                      : nullptr;
      if (flag == nullptr || *flag)
        return wrong("expected each of change, revert and loss at most once");
      *flag = true;
    }
    return {};
  }

  Result<void> message(MessageKind kind, std::string_view rest) {
    if (behaviour_ == nullptr) return wrong("a message belongs to a behaviour");
    ContractMessage message;
    message.kind = kind;
    BATON_ASSIGN(message.name, name(rest, "the message's name"));
    if (kind == MessageKind::kCall) {
      const std::size_t arrow = rest.find(" -> ");
      if (arrow == rest.npos || arrow + 4 == rest.size())
        return wrong("expected call NAME TYPE_TEXT -> TYPE_TEXT");
      message.reply = std::string(rest.substr(arrow + 4));
      rest = rest.substr(0, arrow);
    }
    if (rest.empty()) return wrong("expected the type of the message " + message.name);
    message.type_text = std::string(rest);
    for (const ContractMessage& m : behaviour_->messages)
      if (m.kind == kind && m.name == message.name &&
          member_count(m.type_text) == member_count(message.type_text))
        return wrong("the message " + message.name +
                     " stands twice with as many members; give one of the two another name");
    if (behaviour_->messages.size() == kContractMessagesMax)
      return wrong("more than " + std::to_string(kContractMessagesMax) + " messages");
    behaviour_->messages.push_back(std::move(message));
    return {};
  }
  // The members of a struct; a message that is none has no number of them.
  static std::optional<std::size_t> member_count(std::string_view type_text) {
    const auto members = members_of(type_text);
    return members ? std::optional(members->size()) : std::nullopt;
  }

  Result<ContractMessage*> last_message() {
    if (behaviour_ == nullptr || behaviour_->messages.empty())
      return wrong("it must follow a call, cast or info line");
    return &behaviour_->messages.back();
  }

  // The note of a member of the last message, and that member's type.
  struct Noted {
    ContractMessage* message;
    MemberNote* note;
    std::string_view type;
  };
  Result<Noted> noted_member(std::string_view& rest) {
    BATON_ASSIGN(ContractMessage * message, last_message());
    BATON_ASSIGN(const std::string wanted, name(rest, "the member's name"));
    for (const MessageMember& member :
         members_of(message->type_text).value_or(std::vector<MessageMember>())) {
      if (member.name != wanted) continue;
      for (MemberNote& note : message->members)
        if (note.name == wanted) return Noted{message, &note, member.type};
      message->members.push_back({wanted, "", ""});
      return Noted{message, &message->members.back(), member.type};
    }
    return wrong("the message " + message->name + " has no member " + wanted);
  }

  Result<void> message_was(std::string_view rest) {
    BATON_ASSIGN(ContractMessage * message, last_message());
    BATON_ASSIGN(std::string before, last_name(rest, "the message's older name"));
    if (!message->renamed_from.empty())
      return wrong("the message " + message->name + " is renamed twice");
    message->renamed_from = std::move(before);
    return {};
  }

  Result<void> member_default(std::string_view rest) {
    BATON_ASSIGN(const Noted member, noted_member(rest));
    if (!member.note->default_text.empty())
      return wrong("the member " + member.note->name + " has two defaults");
    if (!atoms_of_defaults_) atoms_of_defaults_ = std::make_unique<term::AtomTable>();
    auto value = term::parse(rest, *atoms_of_defaults_);
    if (!value.ok())
      return wrong("the default of the member " + member.note->name + ": " +
                   value.error().message());
    if (!WireType::of(member.type).fits(value->root()))
      return wrong("the default of the member " + member.note->name + " is no " +
                   printable(member.type));
    member.note->default_text = std::string(rest);
    return {};
  }

  Result<void> member_was(std::string_view rest) {
    BATON_ASSIGN(const Noted member, noted_member(rest));
    BATON_ASSIGN(std::string before, last_name(rest, "the member's older name"));
    if (!member.note->renamed_from.empty())
      return wrong("the member " + member.note->name + " is renamed twice");
    BATON_TRY(check_older_name(*member.message, before));
    member.note->renamed_from = std::move(before);
    return {};
  }

  Result<void> member_dropped(std::string_view rest) {
    BATON_ASSIGN(ContractMessage * message, last_message());
    BATON_ASSIGN(std::string text, last_name(rest, "the dropped member's name"));
    if (message->dropped.size() == kFieldsMax)
      return wrong("more than " + std::to_string(kFieldsMax) + " dropped members");
    BATON_TRY(check_older_name(*message, text));
    message->dropped.push_back(std::move(text));
    return {};
  }

  Result<void> message_hooks(std::string_view rest) {
    BATON_ASSIGN(ContractMessage * message, last_message());
    if (message->has_change || message->has_revert) return wrong("\"message_hooks\" stands twice");
    do {
      const std::string_view hook = word(rest);
      bool* flag = hook == "change"   ? &message->has_change
                   : hook == "revert" ? &message->has_revert
                                      : nullptr;
      if (flag == nullptr || *flag) return wrong("expected each of change and revert at most once");
      *flag = true;
    } while (!rest.empty());
    return {};
  }

  // A name that older versions had is no member's, and one of them at most.
  Result<void> check_older_name(const ContractMessage& message, const std::string& before) const {
    for (const MessageMember& member :
         members_of(message.type_text).value_or(std::vector<MessageMember>()))
      if (member.name == before) return wrong("a member has the older name " + before + " now");
    const bool is_renamed =
        std::any_of(message.members.begin(), message.members.end(),
                    [&](const MemberNote& m) { return m.renamed_from == before; });
    if (is_renamed ||
        std::find(message.dropped.begin(), message.dropped.end(), before) != message.dropped.end())
      return wrong("the older name " + before + " stands twice");
    return {};
  }

  Result<void> call(std::string_view rest) { return message(MessageKind::kCall, rest); }
  Result<void> cast(std::string_view rest) { return message(MessageKind::kCast, rest); }
  Result<void> info(std::string_view rest) { return message(MessageKind::kInfo, rest); }

  const std::string_view descriptor_;
  const std::string_view name_;
  Lines lines_;
  ModuleNote note_;
  BehaviourNote* behaviour_ = nullptr;  // the last of note_.behaviours
  bool has_hooks_ = false;
  std::unique_ptr<term::AtomTable> atoms_of_defaults_;  // made for the first of them
  std::set<std::string_view> seen_;
};

const Parser::Word Parser::kWords[] = {
    {"module", &Parser::module},
    {"version", &Parser::version},
    {"abi", &Parser::abi},
    {"build", &Parser::build},
    {"stateful_globals", &Parser::stateful_globals},
    {"atoms", &Parser::atoms},
    {"behaviour", &Parser::behaviour},
    {"schema", &Parser::schema},
    {"field", &Parser::field},
    {"renamed", &Parser::renamed},
    {"dropped", &Parser::dropped},
    {"hooks", &Parser::hooks},
    {"call", &Parser::call},
    {"cast", &Parser::cast},
    {"info", &Parser::info},
    {"message_was", &Parser::message_was},
    {"member_default", &Parser::member_default},
    {"member_was", &Parser::member_was},
    {"member_dropped", &Parser::member_dropped},
    {"message_hooks", &Parser::message_hooks},
};

Result<void> Parser::read_line(std::string_view first, std::string_view rest) {
  for (const Word& w : kWords)
    if (w.name == first) return (this->*w.read)(rest);
  return wrong("unknown word \"" + printable(first) + "\"");
}

}  // namespace

const char* message_kind_name(MessageKind kind) {
  return kind == MessageKind::kCall ? "call" : kind == MessageKind::kCast ? "cast" : "info";
}

const MemberNote* ContractMessage::member(std::string_view wanted) const {
  for (const MemberNote& m : members)
    if (m.name == wanted) return &m;
  return nullptr;
}

const BehaviourNote* ModuleNote::behaviour(std::string_view name) const {
  for (const BehaviourNote& b : behaviours)
    if (b.name == name) return &b;
  return nullptr;
}

Result<AbiVersion> ModuleNote::read_abi(std::string_view descriptor, std::string_view name) {
  Lines lines(descriptor);
  std::string_view line;
  if (!lines.next(line) || line != kFirstLine)
    return refuse(name, "note", "line 1: expected \"" + std::string(kFirstLine) + "\"", kCure);
  AbiVersion abi;
  while (lines.next(line))
    if (word(line) == "abi") {
      if (read_abi_version(line, abi)) return abi;
      return refuse(name, "note",
                    "line " + std::to_string(lines.number()) + ": expected the ABI as MAJOR.MINOR",
                    kCure);
    }
  return refuse(name, "note", "its line \"abi\" is missing", kCure);
}

Result<ModuleNote> ModuleNote::parse(std::string_view descriptor, std::string_view name) {
  return Parser(descriptor, name).run();
}

}  // namespace baton::module
