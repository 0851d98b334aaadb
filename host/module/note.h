// ModuleNote: the facts a module states about itself in its ELF note, read without running
// anything.
//
// The lines and their meaning stand at the end of baton/abi.h. Parsing is strict: an unknown word,
// a line out of place or a number that does not fit refuses the module and names the line, since a
// note half understood would make a plan that is half wrong.
//
//   level       lines
//   module      module version abi build (once each, required), stateful_globals (once),
//               atoms (any number)
//   behaviour   schema (once, of a gen_server, required), call, cast, info (any number)
//   schema      field, renamed, dropped, hooks (once)
//   call, cast, info    message_was (once), member_default, member_was, member_dropped,
//                       message_hooks (once)
//
// A note without the lines of a message's level, as an ABI of 1.0 has it, says nothing of what its
// messages were before: then a member that an older form lacks cannot be derived.
//
// Threads: a value type.
// Fails:   kRefused, with the number of the note's line.
#pragma once

#include "base/result.h"
#include "module/schema.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::module {

inline constexpr std::size_t kNoteBytesMax = std::size_t{4} << 20;
/// A nested type's text is long.
inline constexpr std::size_t kNoteLineBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kNoteNameBytesMax = 255;
inline constexpr std::size_t kBehavioursMax = 256;
inline constexpr std::size_t kNoteAtomsMax = 65536;
inline constexpr std::size_t kContractMessagesMax = 1024;

enum class MessageKind { kCall, kCast, kInfo };
const char* message_kind_name(MessageKind kind);

/// What a message says of one of its members beyond its type.
struct MemberNote {
  std::string name;
  std::string default_text;  // a term, of the member's type; empty: none is known
  std::string renamed_from;  // empty: it had no other name
};

/// One line of a behaviour's contract: a message that it takes and, for a call, what it answers.
/// Several of one name and kind have different numbers of members.
struct ContractMessage {
  MessageKind kind = MessageKind::kCall;
  std::string name;
  std::string type_text;
  std::string reply{};         // of a call; else empty
  std::string renamed_from{};  // the message's name in older versions; empty: it had no other
  std::vector<MemberNote> members{};  // those of which there is something to say
  std::vector<std::string> dropped{};
  bool has_change = false;  // the hooks that there are, as of a state
  bool has_revert = false;

  const MemberNote* member(std::string_view wanted) const;
};

struct BehaviourNote {
  std::string name;
  std::uint32_t kind = 0;  // BATON_PROCESS or BATON_GEN_SERVER
  std::string library;     // the standard library whose types the state has
  std::optional<SchemaDescription> schema;
  std::vector<ContractMessage> messages;
};

struct AbiVersion {
  std::uint16_t major = 0;
  std::uint16_t minor = 0;
};

struct ModuleNote {
  std::string module;
  std::string version;
  AbiVersion abi;
  std::string build;
  bool stateful_globals = false;
  std::vector<std::string> atoms;
  std::vector<BehaviourNote> behaviours;

  const BehaviourNote* behaviour(std::string_view name) const;

  /// Only the ABI line: it must be understood first, as a newer ABI may have lines that parse would
  /// refuse.
  static Result<AbiVersion> read_abi(std::string_view descriptor, std::string_view name);
  /// Parses a note's descriptor; `name` stands for the file in messages.
  static Result<ModuleNote> parse(std::string_view descriptor, std::string_view name);
};

}  // namespace baton::module
