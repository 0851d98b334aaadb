// ExternalReader: the parts of terms in external form, read from left to right.
//
// Both passes of the decoder (external.h) read with it; every byte is checked each time.
//
// Ownership: borrows the bytes.
// Threads:   one at a time.
// Fails:     kFailed with the byte's place.
#pragma once

#include "base/result.h"
#include "term/external.h"
#include "term/external_tags.h"

#include <baton/abi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::term {

/// A pid, reference or port as read, whichever of its forms it had.
struct Identifier {
  external::Tag kind;  // kNewPid, kNewerReference or kV4Port
  std::string node;
  std::uint64_t creation = 0;
  std::vector<std::uint64_t> numbers;  // pid: id, serial; reference: words; port: id

  bool is_of(const NodeName& ours) const;
  /// In the newest form, for EXTERNAL.
  std::string bytes() const;
};

/// An integer's magnitude as read.
struct BigBytes {
  bool negative;
  std::string_view bytes;  // least significant first, none of them zero on top

  std::size_t limbs() const { return (bytes.size() + 7) / 8; }
  std::uint64_t limb(std::size_t i) const;
  /// As an INT, if it is one.
  std::optional<baton_term> small() const;
};

class ExternalReader {
 public:
  explicit ExternalReader(std::string_view bytes) : bytes_(bytes) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::string_view since(std::size_t start) const { return bytes_.substr(start, at_ - start); }
  std::string_view from(std::size_t start) const { return bytes_.substr(start); }
  /// "byte N: " and what is wrong there.
  Error wrong(const std::string& what) const;

  Result<std::string_view> take(std::uint64_t count);
  /// An unsigned number, most significant byte first.
  Result<std::uint64_t> number(std::size_t bytes);
  /// A count of 4 bytes, of things that take at least that many bytes each.
  Result<std::uint64_t> count(std::size_t bytes_each);

  // What follows the tag of such a term.

  /// The text in UTF-8, which lives until the next call.
  Result<std::string_view> atom_text(std::uint64_t tag);
  Result<Identifier> identifier(std::uint64_t tag);
  Result<double> real(std::uint64_t tag);
  Result<BigBytes> big(std::uint64_t tag);

  /// The immediate of an identifier with our name.
  Result<baton_term> local(const Identifier& id) const;

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
  std::string latin1_;
};

}  // namespace baton::term
