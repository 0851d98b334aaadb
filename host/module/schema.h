// Schema: what a version says of its state object, so that a host can make of it one of another
// version without knowing the C++ type.
//
// A description is filled from the note of a file (module/note.h) or from the tables of a loaded
// module; a library whose two differ is refused. What changed between two of them is
// module/evolution.h.
//
// Threads: value types and pure functions; any thread.
// Fails:   kRefused, saying which entry contradicts the ABI's limits.
#pragma once

#include "base/result.h"

#include <baton/abi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace baton::module {

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

}  // namespace baton::module
