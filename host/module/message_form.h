// MessageForm: what the text of a message's type says of the terms that travel under it.
//
// A message is known by its name, the number of its members and their types, and by nothing else:
// that is its form. Two versions of a module can be told apart by it, so that mail of the one is
// never taken for mail of the other. The grammar of type texts stands in baton/codec.h; a text
// that is not in it (a codec of the module's own) may be any term.
//
// Threads: value types and pure functions; any thread.
#pragma once

#include <baton/abi.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace baton::module {

struct MessageMember {
  std::string_view name;
  std::string_view type;
};

/// The members of "{by:i64;note:optional<string>;}", which borrow from the text. Nothing: the text
/// is no struct, so it is compared as a whole.
std::optional<std::vector<MessageMember>> members_of(std::string_view type_text);

/// Types within types, beyond which everything fits.
inline constexpr int kWireDepthMax = 64;

/// The terms that a type's values are on the wire.
class WireType {
 public:
  static WireType of(std::string_view type_text) { return of(type_text, 0); }

  /// Whether a reader of this type takes the term. A float of any size fits both, and so does an
  /// integer that is its own term.
  bool fits(baton_term term) const;
  /// The same of a value that is to be narrowed without a loss: a double that no f32 holds does
  /// not fit. What is infinite or no number stays so.
  bool keeps(baton_term term) const;
  /// Whether some term may be of both.
  friend bool overlap(const WireType& a, const WireType& b);

 private:
  enum class Kind {
    kAny,
    kAtomOf,  // one of atoms_
    kAtom,
    kInteger,
    kFloat,
    kString,
    kPid,
    kRef,
    kPort,
    kOneOf,   // of parts_
    kTuple,   // of parts_
    kStruct,  // an atom, then parts_
    kList,    // of parts_[0]; of size_ elements, if it is not 0
    kMap,     // of parts_[0] to parts_[1]
  };
  static WireType of(std::string_view type_text, int depth);
  static WireType of_parts(Kind kind, const std::vector<std::string_view>& texts, int depth);
  bool is_atomic() const;
  bool all_fit(const baton_term* terms) const;

  Kind kind_ = Kind::kAny;
  std::vector<WireType> parts_;
  std::vector<baton_term> atoms_;
  unsigned bits_ = 0;  // of kInteger (0: any number of them) and kFloat
  bool is_signed_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace baton::module
