#include "takeover/state_mover.h"

#include "base/check.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace baton::takeover {

namespace {

const baton_field& field_at(const baton_schema* schema, std::uint32_t i) {
  BATON_CHECK(i < schema->field_count);
  const char* first = reinterpret_cast<const char*>(schema->fields);
  return *reinterpret_cast<const baton_field*>(first + std::size_t{i} * schema->field_stride);
}

void* at(void* object, std::uint32_t offset) { return static_cast<char*>(object) + offset; }

}  // namespace

Result<StateMover> StateMover::between(const std::string& behaviour, const baton_schema* from,
                                       const char* from_version, const baton_schema* to,
                                       const char* to_version, module::Direction direction) {
  StateMover mover;
  mover.from_ = from;
  mover.to_ = to;
  mover.from_version_ = from_version;
  mover.to_version_ = to_version;
  BATON_ASSIGN(const auto from_description, module::describe(from));
  BATON_ASSIGN(const auto to_description, module::describe(to));
  const module::Migration migration = module::compare(from_description, to_description, direction);
  if (migration.outcome == module::Outcome::kAdopt) {
    mover.adopts_ = true;
    return mover;
  }
  if (migration.outcome != module::Outcome::kMigrate) {
    std::string reasons;
    for (const std::string& reason : migration.reasons)
      reasons += (reasons.empty() ? "" : "; ") + reason;
    return Error(Code::kRefused, behaviour + ": the state of " + from_version +
                                     " cannot become one of " + to_version + ": " + reasons);
  }
  const bool is_up = direction == module::Direction::kUp;
  mover.has_hook_ = migration.hook != module::Hook::kNone;
  if (migration.hook == module::Hook::kChange) mover.change_ = to->change;
  if (migration.hook == module::Hook::kRevert) mover.revert_ = from->revert;
  if (!is_up) {
    mover.loss_ = from->loss;
    mover.discard_ = from->discard;
  }
  for (const module::FieldAction& action : migration.actions) {
    switch (action.step) {
      case module::FieldStep::kMove: {
        const baton_field& source = field_at(from, action.from);
        const baton_field& target = field_at(to, action.to);
        mover.moves_.push_back({target.move, source.move, source.offset, target.offset});
        break;
      }
      case module::FieldStep::kCopy: {
        const baton_field& source = field_at(from, action.from);
        mover.copies_.push_back({source.offset, field_at(to, action.to).offset, source.size});
        break;
      }
      case module::FieldStep::kConvert:
        mover.conversions_.push_back(
            {action, from_description.fields[action.from], to_description.fields[action.to]});
        break;
      case module::FieldStep::kDrop:
        // What the version's own loss function counts is not counted a second time.
        if (action.is_lossy && mover.loss_ == nullptr) {
          const baton_field& source = field_at(from, action.from);
          if (source.is_default != nullptr)
            mover.lossy_.push_back({source.name, source.is_default});
        }
        break;
      case module::FieldStep::kHook:
      case module::FieldStep::kFresh: break;
    }
  }
  return mover;
}

bool StateMover::make(void* old, void* raw, baton_error* error) const {
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
    if (module::convert(conversion.action, conversion.from, at(old, conversion.from.offset),
                        conversion.to, at(raw, conversion.to.offset)))
      continue;
    const int length =
        std::snprintf(error->text, error->capacity, "field %s: its value does not fit %s",
                      conversion.from.name.c_str(), conversion.to.type_text.c_str());
    error->length = static_cast<std::uint32_t>(length);
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
    module::FieldAction back = conversion.action;
    back.is_checked = true;
    if (!module::convert(back, conversion.to, at(live, conversion.to.offset), conversion.from,
                         at(parked, conversion.from.offset)))
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
    const int length = std::snprintf(error->text, error->capacity, "field %s", field.name.c_str());
    error->length = static_cast<std::uint32_t>(length);
  }
  from_->destroy(raw);
  return count;
}

void StateMover::discard(void* old) const {
  if (discard_ != nullptr) discard_(old, to_version_.c_str());
}

}  // namespace baton::takeover
