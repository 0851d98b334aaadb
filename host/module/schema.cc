#include "module/schema.h"

#include "module/note.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>
#include <set>

namespace baton::module {

namespace {

enum class Family { kNone, kBool, kSigned, kUnsigned, kFloat };
struct ScalarRow {
  std::uint8_t code;
  const char* text;
  Family family;
  std::uint32_t size;
};
constexpr ScalarRow kScalars[] = {
    {BATON_SCALAR_NONE, "", Family::kNone, 0},
    {BATON_SCALAR_BOOL, "bool", Family::kBool, 1},
    {BATON_SCALAR_I8, "i8", Family::kSigned, 1},
    {BATON_SCALAR_I16, "i16", Family::kSigned, 2},
    {BATON_SCALAR_I32, "i32", Family::kSigned, 4},
    {BATON_SCALAR_I64, "i64", Family::kSigned, 8},
    {BATON_SCALAR_U8, "u8", Family::kUnsigned, 1},
    {BATON_SCALAR_U16, "u16", Family::kUnsigned, 2},
    {BATON_SCALAR_U32, "u32", Family::kUnsigned, 4},
    {BATON_SCALAR_U64, "u64", Family::kUnsigned, 8},
    {BATON_SCALAR_F32, "f32", Family::kFloat, 4},
    {BATON_SCALAR_F64, "f64", Family::kFloat, 8},
};
static_assert(std::size(kScalars) == BATON_SCALAR_F64 + 1);
constexpr bool rows_stand_at_their_code() {
  for (std::size_t i = 0; i < std::size(kScalars); ++i)
    if (kScalars[i].code != i) return false;
  return true;
}
static_assert(rows_stand_at_their_code());

const ScalarRow& row(std::uint8_t code) {
  BATON_CHECK(code < std::size(kScalars), "a scalar code is checked by validate()");
  return kScalars[code];
}

std::uint8_t scalar_of(std::string_view type_text) {
  for (const ScalarRow& r : kScalars)
    if (r.code != BATON_SCALAR_NONE && type_text == r.text) return r.code;
  return BATON_SCALAR_NONE;
}

bool is_wider(std::uint8_t from, std::uint8_t to) {
  const ScalarRow &f = row(from), &t = row(to);
  if (f.size >= t.size) return false;
  if (f.family == t.family) return f.family != Family::kNone && f.family != Family::kBool;
  return f.family == Family::kUnsigned && t.family == Family::kSigned;
}

// "enum(i32:red=0,green=1)", the grammar of type texts (baton/codec.h).
struct EnumType {
  std::uint8_t underlying = BATON_SCALAR_NONE;
  struct Enumerator {
    std::string_view name;
    std::int64_t value;
  };
  std::vector<Enumerator> enumerators;
};

std::optional<EnumType> parse_enum(std::string_view text) {
  constexpr std::string_view kStart = "enum(";
  if (!text.starts_with(kStart) || !text.ends_with(')')) return std::nullopt;
  text = text.substr(kStart.size(), text.size() - kStart.size() - 1);
  EnumType type;
  std::size_t end = std::min(text.find(':'), text.size());
  type.underlying = scalar_of(text.substr(0, end));
  if (row(type.underlying).family != Family::kSigned &&
      row(type.underlying).family != Family::kUnsigned)
    return std::nullopt;
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    const std::size_t equals = one.find('=');
    if (equals == one.npos || equals == 0) return std::nullopt;
    EnumType::Enumerator e{one.substr(0, equals), 0};
    const char* last = one.data() + one.size();
    auto [at, error] = std::from_chars(one.data() + equals + 1, last, e.value);
    if (error != std::errc() || at != last) return std::nullopt;
    type.enumerators.push_back(e);
  }
  return type;
}

bool is_superset(const EnumType& from, const EnumType& to) {
  if (from.underlying != to.underlying && !is_wider(from.underlying, to.underlying)) return false;
  return std::all_of(
      from.enumerators.begin(), from.enumerators.end(), [&](const EnumType::Enumerator& f) {
        return std::any_of(
            to.enumerators.begin(), to.enumerators.end(),
            [&](const EnumType::Enumerator& t) { return t.name == f.name && t.value == f.value; });
      });
}

bool widens(const FieldDescription& from, const FieldDescription& to) {
  if (from.scalar == BATON_SCALAR_NONE || to.scalar == BATON_SCALAR_NONE) return false;
  const auto from_enum = parse_enum(from.type_text), to_enum = parse_enum(to.type_text);
  if (from_enum && to_enum) return is_superset(*from_enum, *to_enum);
  // An enum and a number mean different things, and so does an enum whose text is not understood.
  if (from.type_text.starts_with("enum") || to.type_text.starts_with("enum")) return false;
  return is_wider(from.scalar, to.scalar);
}

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

class Comparison {
 public:
  Comparison(const SchemaDescription& from, const SchemaDescription& to, Direction direction)
      : from_(from), to_(to), direction_(direction) {}

  Migration run() {
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
      if (const auto type = parse_enum(to.type_text))
        for (const EnumType::Enumerator& e : type->enumerators)
          action.enumerators.push_back(e.value);
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
  Migration result_;
};

Migration restart(std::string reason) {
  Migration migration;
  migration.outcome = Outcome::kRestart;
  migration.reasons.push_back(std::move(reason));
  return migration;
}

template <class T>
T read_as(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Every integer of the ABI fits a sign and 64 bits.
__extension__ using Wide = __int128;

Wide read_integer(const ScalarRow& type, const void* at) {
  const bool is_signed = type.family == Family::kSigned;
  switch (type.size) {
    case 1: return is_signed ? Wide{read_as<std::int8_t>(at)} : Wide{read_as<std::uint8_t>(at)};
    case 2: return is_signed ? Wide{read_as<std::int16_t>(at)} : Wide{read_as<std::uint16_t>(at)};
    case 4: return is_signed ? Wide{read_as<std::int32_t>(at)} : Wide{read_as<std::uint32_t>(at)};
    default: return is_signed ? Wide{read_as<std::int64_t>(at)} : Wide{read_as<std::uint64_t>(at)};
  }
}

bool fits(const ScalarRow& type, Wide value) {
  const unsigned bits = 8 * type.size - (type.family == Family::kSigned ? 1 : 0);
  const Wide high = (Wide{1} << bits) - 1;
  return value <= high && value >= (type.family == Family::kSigned ? -high - 1 : 0);
}

void write_integer(const ScalarRow& type, Wide value, void* at) {
  // Little-endian: its first bytes are the narrower number.
  const auto low = static_cast<std::uint64_t>(value);
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(at, &low, type.size);
}

bool convert_float(const ScalarRow& from, const void* from_at, const ScalarRow& to, void* to_at) {
  const double value = from.size == 4 ? double{read_as<float>(from_at)} : read_as<double>(from_at);
  if (to.size == 8) {
    std::memcpy(to_at, &value, 8);
    return true;
  }
  // Going down may not round: a total that silently changes is worse than a refusal. Not a number
  // stays one.
  if (value == value &&
      (value > std::numeric_limits<float>::max() || value < std::numeric_limits<float>::lowest()) &&
      std::abs(value) != std::numeric_limits<double>::infinity())
    return false;
  const auto narrow = static_cast<float>(value);
  if (value == value && double{narrow} != value) return false;
  std::memcpy(to_at, &narrow, 4);
  return true;
}

Error wrong(const std::string& what) { return Error(Code::kRefused, what); }

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

Result<SchemaDescription> describe(const baton_schema* schema) {
  // The sizes of ABI 1.0; later minors only add behind them.
  constexpr std::uint32_t kSchemaBytesMin = offsetof(baton_schema, to_term) + sizeof(void*);
  constexpr std::uint32_t kFieldBytesMin = offsetof(baton_field, is_default) + sizeof(void*);
  if (schema == nullptr) return wrong("the schema is missing");
  if (schema->struct_size < kSchemaBytesMin)
    return wrong("baton_schema.struct_size " + std::to_string(schema->struct_size) + " is below " +
                 std::to_string(kSchemaBytesMin));
  if (schema->field_count > 0 &&
      (schema->field_stride < kFieldBytesMin || schema->field_stride % alignof(baton_field) != 0 ||
       schema->fields == nullptr))
    return wrong("baton_schema.field_stride " + std::to_string(schema->field_stride) +
                 " or its fields do not fit the ABI");
  if (schema->field_count > kFieldsMax)
    return wrong("baton_schema.field_count is above " + std::to_string(kFieldsMax));
  if (schema->name == nullptr || schema->construct == nullptr || schema->destroy == nullptr)
    return wrong("baton_schema.name, construct or destroy is null");
  SchemaDescription out;
  out.name = schema->name;
  out.fingerprint = schema->fingerprint;
  out.size = schema->size;
  out.align = schema->align;
  out.revision = schema->revision;
  out.has_change = schema->change != nullptr;
  out.has_revert = schema->revert != nullptr;
  out.has_loss = schema->loss != nullptr;
  for (std::uint32_t i = 0; i < schema->field_count; ++i) {
    const auto* field = reinterpret_cast<const baton_field*>(
        reinterpret_cast<const char*>(schema->fields) + std::size_t{i} * schema->field_stride);
    if (field->name == nullptr || field->type_name == nullptr)
      return wrong("field " + std::to_string(i) + ": name or type_name is null");
    if (field->scalar == BATON_SCALAR_NONE && field->move == nullptr)
      return wrong(std::string("field ") + field->name + ": move is null");
    out.fields.push_back({field->name, field->type, field->type_name, field->offset, field->size,
                          field->scalar, field->flags,
                          field->renamed_from == nullptr ? "" : field->renamed_from});
  }
  for (const char* const* name = schema->dropped; name != nullptr && *name != nullptr; ++name) {
    if (out.dropped.size() == kFieldsMax)
      return wrong("more than " + std::to_string(kFieldsMax) + " dropped fields");
    out.dropped.push_back(*name);
  }
  BATON_TRY(validate(out));
  return out;
}

Result<void> validate(const SchemaDescription& schema) {
  const std::string in = "schema " + schema.name + ": ";
  if (schema.size == 0 || schema.size > kStateBytesMax)
    return wrong(in + "size " + std::to_string(schema.size) + " is not 1 to " +
                 std::to_string(kStateBytesMax));
  if (!std::has_single_bit(schema.align) || schema.align > kStateAlignMax)
    return wrong(in + "align " + std::to_string(schema.align) + " is not 1, 2, 4, 8 or " +
                 std::to_string(kStateAlignMax));
  if (schema.fields.size() > kFieldsMax)
    return wrong(in + "more than " + std::to_string(kFieldsMax) + " fields");
  std::set<std::string_view> names, older;
  for (const FieldDescription& field : schema.fields) {
    const std::string at = in + "field " + field.name + ": ";
    if (!names.insert(field.name).second) return wrong(at + "it stands twice");
    if (field.size == 0 || field.size > schema.size || field.offset > schema.size - field.size)
      return wrong(at + "offset " + std::to_string(field.offset) + " and size " +
                   std::to_string(field.size) + " leave the state's " +
                   std::to_string(schema.size) + " bytes");
    if (field.scalar > BATON_SCALAR_F64)
      return wrong(at + "unknown scalar code " + std::to_string(field.scalar));
    if (field.scalar != BATON_SCALAR_NONE && row(field.scalar).size != field.size)
      return wrong(at + "size " + std::to_string(field.size) + " is not that of its scalar " +
                   row(field.scalar).text);
    if ((field.flags & ~BATON_FIELD_DISPOSABLE) != 0)
      return wrong(at + "unknown flags " + std::to_string(field.flags));
  }
  for (const FieldDescription& field : schema.fields) {
    if (field.renamed_from.empty()) continue;
    if (names.contains(field.renamed_from) || !older.insert(field.renamed_from).second)
      return wrong(in + "field " + field.name + ": its older name " + field.renamed_from +
                   " is another field's name too");
  }
  for (const std::string& name : schema.dropped)
    if (names.contains(name) || !older.insert(name).second)
      return wrong(in + "dropped " + name +
                   ": a field has this name or older name, or it is dropped twice");
  return {};
}

Migration compare(const SchemaDescription& from, const SchemaDescription& to, Direction direction) {
  return Comparison(from, to, direction).run();
}

std::vector<BehaviourMigration> compare(const ModuleNote& from, const ModuleNote& to,
                                        Direction direction) {
  std::vector<BehaviourMigration> result;
  for (const BehaviourNote& f : from.behaviours) {
    const BehaviourNote* t = to.behaviour(f.name);
    Migration migration;
    if (t == nullptr) {
      migration = restart("version " + to.version + " has no behaviour " + f.name);
    } else if (t->kind != f.kind) {
      migration = restart("behaviour " + f.name + " is of another kind in version " + to.version);
    } else if (!f.schema || !t->schema) {
      migration = restart("behaviour " + f.name +
                          " is a coroutine process: its frame is code of version " + from.version);
    } else {
      migration = compare(*f.schema, *t->schema, direction);
      if (migration.outcome == Outcome::kImpossible && f.library != t->library)
        migration.reasons.push_back("the versions are built with different standard libraries (" +
                                    f.library + ", " + t->library + "); cure: build both alike");
    }
    result.push_back({f.name, std::move(migration)});
  }
  return result;
}

bool is_widening(std::string_view from_type_text, std::string_view to_type_text) {
  const auto field = [](std::string_view text) {
    FieldDescription description;
    description.type_text = std::string(text);
    const auto type = parse_enum(text);
    description.scalar = type ? type->underlying : scalar_of(text);
    return description;
  };
  return widens(field(from_type_text), field(to_type_text));
}

bool convert(const FieldAction& action, const FieldDescription& from, const void* from_at,
             const FieldDescription& to, void* to_at) {
  BATON_CHECK(action.step == FieldStep::kCopy || action.step == FieldStep::kConvert);
  if (action.step == FieldStep::kCopy) {
    std::memcpy(to_at, from_at, to.size);
    return true;
  }
  const ScalarRow &from_type = row(from.scalar), &to_type = row(to.scalar);
  if (from_type.family == Family::kFloat) return convert_float(from_type, from_at, to_type, to_at);
  const Wide value = read_integer(from_type, from_at);
  if (!fits(to_type, value)) return false;
  if (!action.enumerators.empty() &&
      std::none_of(action.enumerators.begin(), action.enumerators.end(),
                   [&](std::int64_t e) { return e == value; }))
    return false;
  write_integer(to_type, value, to_at);
  return true;
}

}  // namespace baton::module
