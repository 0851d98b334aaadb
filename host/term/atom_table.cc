#include "term/atom_table.h"

#include "term/atom.h"
#include "term/layout.h"
#include "term/utf8.h"

#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <string>

namespace baton::term {

namespace {
constexpr std::size_t kSlotsAtFirst = 1024;
constexpr std::size_t kChunkBytes = 32 * 1024;

constexpr std::string_view kUsualTexts[] = {
#define BATON_ATOM_TEXT(NAME, TEXT) TEXT,
    BATON_USUAL_ATOMS(BATON_ATOM_TEXT)
#undef BATON_ATOM_TEXT
};

std::uint64_t random_odd() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  if (!is_utf8(text)) return "the text";
  if (text.size() <= kShown) return "'" + std::string(text) + "'";
  return "an atom of " + std::to_string(text.size()) + " bytes";
}
}  // namespace

struct AtomTable::Entry {
  baton_term atom;
  std::size_t size;
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }
};

// Open addressing; at most half full, so that a search ends soon at an empty slot.
struct AtomTable::Slots {
  explicit Slots(std::size_t n)
      : count(n), slot(std::make_unique<std::atomic<const Entry*>[]>(n)) {}
  const std::size_t count;
  const std::unique_ptr<std::atomic<const Entry*>[]> slot;
};

AtomTable::AtomTable(std::size_t atoms_max, std::size_t request_atoms_max)
    : atoms_max_(atoms_max), request_atoms_max_(request_atoms_max), spread_(random_odd()) {
  all_slots_.push_back(std::make_unique<Slots>(kSlotsAtFirst));
  slots_.store(all_slots_.back().get(), std::memory_order_release);
  for (std::string_view text : kUsualTexts) {
    const auto interned = intern(text);
    BATON_CHECK(interned.ok(), "the usual atoms fit into every table");
  }
}

AtomTable::~AtomTable() = default;

std::size_t AtomTable::slot_of(const Slots& slots, baton_term atom) const {
  return (atom >> 3) * spread_ >> (64 - std::countr_zero(slots.count));
}

const AtomTable::Entry* AtomTable::find(baton_term atom) const {
  const Slots& slots = *slots_.load(std::memory_order_acquire);
  for (std::size_t i = slot_of(slots, atom);; i = (i + 1) & (slots.count - 1)) {
    const Entry* entry = slots.slot[i].load(std::memory_order_acquire);
    if (entry == nullptr || entry->atom == atom) return entry;
  }
}

void AtomTable::insert(Slots& slots, const Entry* entry) const {
  std::size_t i = slot_of(slots, entry->atom);
  while (slots.slot[i].load(std::memory_order_relaxed) != nullptr) i = (i + 1) & (slots.count - 1);
  slots.slot[i].store(entry, std::memory_order_release);
}

const AtomTable::Entry* AtomTable::make_entry(baton_term atom, std::string_view text) {
  const std::size_t bytes = (sizeof(Entry) + text.size() + 1 + 7) & ~std::size_t{7};
  if (chunk_left_ < bytes) {
    chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
    chunk_left_ = kChunkBytes;
  }
  char* at = chunks_.back().get() + (kChunkBytes - chunk_left_);
  chunk_left_ -= bytes;
  auto* entry = new (at) Entry{atom, text.size()};
  std::memcpy(at + sizeof(Entry), text.data(), text.size());
  at[sizeof(Entry) + text.size()] = 0;
  return entry;
}

Result<std::optional<baton_term>> AtomTable::look_up(std::string_view text) const {
  if (text.size() > kAtomBytesMax)
    return Error(Code::kUsage, shown(text) + " is too long for an atom, which has at most " +
                                   std::to_string(kAtomBytesMax) + " bytes; use a binary");
  if (!is_utf8(text)) return Error(Code::kUsage, "the text of an atom must be UTF-8");
  const baton_term made = atom(text);
  const Entry* entry = find(made);
  if (entry == nullptr) return std::optional<baton_term>();
  const std::string_view known(entry->text(), entry->size);
  if (known != text)
    return Error(Code::kFailed, "the atoms " + shown(text) + " and " + shown(known) +
                                    " have the same hash; rename the first");
  return std::optional(made);
}

Result<baton_term> AtomTable::intern(std::string_view text, AtomShare share) {
  BATON_ASSIGN(const std::optional<baton_term> known, look_up(text));
  if (known) return *known;
  const std::lock_guard lock(mu_);
  BATON_ASSIGN(const std::optional<baton_term> meanwhile, look_up(text));
  if (meanwhile) return *meanwhile;
  const std::size_t size = size_.load(std::memory_order_relaxed);
  const bool is_of_request = share == AtomShare::kRequests;
  if (size >= atoms_max_ || (is_of_request && request_atoms_ >= request_atoms_max_))
    return Error(Code::kFailed,
                 "no room for the atom " + shown(text) + ": there are " +
                     (size >= atoms_max_ ? std::to_string(size)
                                         : std::to_string(request_atoms_) + " from requests") +
                     " already, and atoms are never freed; use binaries for names without number");
  Slots* slots = slots_.load(std::memory_order_relaxed);
  if (2 * (size + 1) > slots->count) {
    all_slots_.push_back(std::make_unique<Slots>(2 * slots->count));
    Slots* larger = all_slots_.back().get();
    for (std::size_t i = 0; i < slots->count; ++i)
      if (const Entry* old = slots->slot[i].load(std::memory_order_relaxed)) insert(*larger, old);
    slots = larger;
    slots_.store(larger, std::memory_order_release);
  }
  const baton_term made = atom(text);
  insert(*slots, make_entry(made, text));
  size_.store(size + 1, std::memory_order_relaxed);
  if (is_of_request) ++request_atoms_;
  return made;
}

std::optional<std::string_view> AtomTable::text(baton_term atom) const {
  const Entry* entry = is_atom(atom) ? find(atom) : nullptr;
  if (entry == nullptr) return std::nullopt;
  return std::string_view(entry->text(), entry->size);
}

}  // namespace baton::term
