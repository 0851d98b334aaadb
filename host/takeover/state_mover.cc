#include "takeover/state_mover.h"

#include "base/check.h"
#include "module/scalar.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace baton::takeover {

namespace {

const baton_field& field_at(const baton_schema* schema, std::uint32_t i) {
  BATON_CHECK(i < schema->field_count);
  const char* first = reinterpret_cast<const char*>(schema->fields);
  return *reinterpret_cast<const baton_field*>(first + std::size_t{i} * schema->field_stride);
}

// As much of the text as there is room for.
void say(baton_error* error, const std::string& text) {
  error->length = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), error->capacity));
  std::memcpy(error->text, text.data(), error->length);
}

void* at(void* object, std::uint32_t offset) { return static_cast<char*>(object) + offset; }

}  // namespace

Result<StateMover> StateMover::of(const module::StateChange& change, const std::string& behaviour,
                                  Side from, Side to) {
  if (change.outcome != module::Outcome::kAdopt && change.outcome != module::Outcome::kMigrate) {
    std::string reasons;
    for (const std::string& reason : change.reasons)
      reasons += (reasons.empty() ? "" : "; ") + reason;
    return Error(Code::kRefused, behaviour + ": the state of " + from.version +
                                     " cannot become one of " + to.version + ": " + reasons);
  }
  StateMover mover;
  mover.from_ = from.schema;
  mover.to_ = to.schema;
  mover.from_version_ = std::move(from.version);
  mover.to_version_ = std::move(to.version);
  mover.adopts_ = change.outcome == module::Outcome::kAdopt;
  // A library whose tables are not its note's is not loaded, nor one whose note is not the plan's.
  BATON_CHECK(mover.adopts_ == (mover.from_->fingerprint == mover.to_->fingerprint), behaviour);
  if (mover.adopts_) return mover;
  mover.has_hook_ = change.hook != module::Hook::kNone;
  if (change.hook == module::Hook::kChange) mover.change_ = mover.to_->change;
  if (change.hook == module::Hook::kRevert) mover.revert_ = mover.from_->revert;
  if (change.direction == module::Direction::kDown) {
    mover.loss_ = mover.from_->loss;
    mover.discard_ = mover.from_->discard;
  }
  for (const module::FieldAction& action : change.actions) mover.add(action);
  return mover;
}

void StateMover::add(const module::FieldAction& action) {
  switch (action.step) {
    case module::FieldStep::kMove: {
      const baton_field& source = field_at(from_, action.from);
      const baton_field& target = field_at(to_, action.to);
      moves_.push_back({target.move, source.move, source.offset, target.offset});
      break;
    }
    case module::FieldStep::kCopy: {
      const baton_field& source = field_at(from_, action.from);
      copies_.push_back({source.offset, field_at(to_, action.to).offset, source.size});
      break;
    }
    case module::FieldStep::kConvert: {
      Conversion conversion{&field_at(from_, action.from), &field_at(to_, action.to), {}, {}};
      if (action.is_checked)
        conversion.allowed_there = module::enumerator_values(conversion.to->type_name);
      else
        conversion.allowed_back = module::enumerator_values(conversion.from->type_name);
      conversions_.push_back(std::move(conversion));
      break;
    }
    case module::FieldStep::kDrop:
      // What the version's own loss function counts is not counted a second time.
      if (action.is_lossy && loss_ == nullptr) {
        const baton_field& source = field_at(from_, action.from);
        if (source.is_default != nullptr) lossy_.push_back({source.name, source.is_default});
      }
      break;
    case module::FieldStep::kHook:
    case module::FieldStep::kFresh: break;
  }
}

bool StateMover::make(void* old, void* raw, baton_error* error) const {
  BATON_CHECK(!adopts_, "what is adopted is not made");
  if (to_->construct(raw, error) != 0) return false;
  const auto give_up = [&] {
    to_->destroy(raw);
    return false;
  };
  for (const Copy& copy : copies_) {
    // Nearly all are words; a call of memcpy for each would be the greater part of the work.
    if (copy.size == 8)
      std::memcpy(at(raw, copy.to), at(old, copy.from), 8);
    else
      std::memcpy(at(raw, copy.to), at(old, copy.from), copy.size);
  }
  for (const Conversion& conversion : conversions_) {
    const baton_field &from = *conversion.from, &to = *conversion.to;
    if (module::convert(from.scalar, at(old, from.offset), to.scalar, at(raw, to.offset),
                        conversion.allowed_there))
      continue;
    say(error, std::string("field ") + from.name + ": its value does not fit " + to.type_name);
    return give_up();
  }
  if (change_ != nullptr) {
    const baton_view view{from_, old};
    if (change_(raw, &view, from_version_.c_str(), error) != 0) return give_up();
  }
  if (revert_ != nullptr) {
    const baton_view view{to_, raw};
    if (revert_(old, &view, to_version_.c_str(), error) != 0) return give_up();
  }
  return true;
}

void StateMover::commit(void* old, void* made) const {
  for (const Move& move : moves_) move.forward(at(made, move.to), at(old, move.from));
}

bool StateMover::check_restore(void* parked, void* live) const {
  for (const Copy& copy : copies_) std::memcpy(at(parked, copy.from), at(live, copy.to), copy.size);
  for (const Conversion& conversion : conversions_) {
    const baton_field &from = *conversion.from, &to = *conversion.to;
    if (!module::convert(to.scalar, at(live, to.offset), from.scalar, at(parked, from.offset),
                         conversion.allowed_back))
      return false;
  }
  return true;
}

void StateMover::restore(void* parked, void* live) const {
  for (const Move& move : moves_) move.back(at(parked, move.from), at(live, move.to));
}

std::uint64_t StateMover::loss(const void* old, baton_error* error) const {
  if (loss_ != nullptr) return loss_(old, to_version_.c_str(), error);
  if (lossy_.empty()) return 0;
  alignas(16) char small[1024];
  std::unique_ptr<char[]> large;
  void* raw = small;
  if (from_->size > sizeof small) {
    large = std::make_unique<char[]>(from_->size);
    raw = large.get();
  }
  if (from_->construct(raw, error) != 0) return kUncountable;
  std::uint64_t count = 0;
  for (const Lossy& field : lossy_) {
    if (field.is_default(old, raw) != 0) continue;
    ++count;
    say(error, "field " + field.name);
  }
  from_->destroy(raw);
  return count;
}

void StateMover::discard(void* old) const { discard_(old, to_version_.c_str()); }

}  // namespace baton::takeover
