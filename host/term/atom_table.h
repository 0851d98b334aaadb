// AtomTable: the texts of the atoms this node has seen.
//
// A module computes an atom from its text by itself; the host learns the text from the module's
// note, from host->atom, or from terms that arrive as text or in external form, and needs it to
// print the atom and to order atoms. Texts are never forgotten, as in Erlang; hence the limits.
//
// Invariants: an atom has one text for ever; two texts with one hash never both enter.
// Ownership:  the node owns the table; texts live as long as it.
// Threads:    any. Readers take no lock: they follow one atomic pointer to an array of slots that
//             only ever fills; a full one is replaced by a copy and kept until the end, for
//             readers still in it.
// Fails:      kUsage for a text that is no atom, kFailed for a full table or a colliding hash.
#pragma once

#include "base/result.h"
#include "term/limits.h"

#include <baton/abi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace baton::term {

/// On whose account a new text is remembered: those of requests have a share of their own, so that
/// nobody who may ask the host something can fill the table.
inline constexpr std::size_t kRequestAtomsMax = kAtomsMax / 8;
enum class AtomShare { kHost, kRequests };

class AtomTable {
 public:
  /// Holds the usual atoms (atom.h). `atoms_max` counts them too.
  explicit AtomTable(std::size_t atoms_max = kAtomsMax,
                     std::size_t request_atoms_max = kRequestAtomsMax);
  ~AtomTable();
  AtomTable(const AtomTable&) = delete;
  AtomTable& operator=(const AtomTable&) = delete;

  /// The atom of this text, which is remembered from now on.
  Result<baton_term> intern(std::string_view text, AtomShare share = AtomShare::kHost);
  /// The same, but nothing is remembered; nothing if intern would have to.
  Result<std::optional<baton_term>> look_up(std::string_view text) const;
  /// The atom's text, followed by a zero byte; nothing if it was never interned here.
  std::optional<std::string_view> text(baton_term atom) const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Entry;
  struct Slots;
  const Entry* find(baton_term atom) const;
  std::size_t slot_of(const Slots& slots, baton_term atom) const;
  void insert(Slots& slots, const Entry* entry) const;
  const Entry* make_entry(baton_term atom, std::string_view text);

  // Constant after construction.
  const std::size_t atoms_max_;
  const std::size_t request_atoms_max_;
  // Odd and random: spreads atoms over slots so that nobody can choose texts that meet in one.
  const std::uint64_t spread_;

  std::atomic<Slots*> slots_;
  std::atomic<std::size_t> size_{0};

  // Guarded by mu_.
  std::mutex mu_;
  std::vector<std::unique_ptr<Slots>> all_slots_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t chunk_left_ = 0;
  std::size_t request_atoms_ = 0;
};

}  // namespace baton::term
