#include "module/schema.h"

#include "module/scalar.h"

#include <bit>
#include <cstddef>
#include <set>

namespace baton::module {

namespace {

Error wrong(const std::string& what) { return Error(Code::kRefused, what); }

}  // namespace

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
    if (scalar_name(field.scalar) == nullptr)
      return wrong(at + "unknown scalar code " + std::to_string(field.scalar));
    if (field.scalar != BATON_SCALAR_NONE && scalar_size(field.scalar) != field.size)
      return wrong(at + "size " + std::to_string(field.size) + " is not that of its scalar " +
                   scalar_name(field.scalar));
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

}  // namespace baton::module
