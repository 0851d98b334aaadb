// MessageHook: what a message type says in code of its older forms, where names, defaults and wider
// numbers do not say it all (baton/message_note.h).
//
//   struct Price {
//     std::string item;
//     std::int64_t cents = 0;
//     // Optional, both of these:
//     static void message_change(Price& made, const baton::OtherForm& old, baton::Version from) {
//       made.cents = std::stoll(old.get<std::string>("amount"));
//     }
//     static void message_revert(const Price& sent, baton::OtherForm& older, baton::Version to) {
//       older.put("amount", std::to_string(sent.cents));
//     }
//   };
//   BATON_MESSAGE(Price, item, cents)
//   BATON_DROPPED(Price, amount)
//
// As code_change and code_revert of a state, both live in the newer version, since the older one
// cannot know. What can be derived is done already: in `made` are the members that both forms have
// and the defaults, in `older` those that both have. message_change sees to the rest of this
// message, message_revert to the rest of the older one.
//
// They are called for mail that waits when its receiver is taken over, up, down and in a rollback,
// and for mail that comes later in the other version's form. What they throw refuses the upgrade
// (unless the release or the operator says what becomes of such mail); later, it is the error of
// whoever sent the message.
//
// Threads: any, without a process: they work on their arguments alone.
#pragma once

#include <baton/state.h>

#include <array>
#include <vector>

namespace baton::inline v1 {

template <class... M>
struct Messages;

/// A message in a form of another version, by the names its members have there. Good until the hook
/// returns.
class OtherForm {
 public:
  OtherForm(baton_context* context, const baton_form* form)
      : context_(context),
        form_(form),
        members_(form->members, form->members + form->member_count) {}

  /// Of the message.
  std::string_view name() const { return form_->name; }
  bool has(std::string_view member) const { return find(member) < members_.size(); }
  /// Throws BadTerm if that form has no such member, or one of another type, or it is still to be
  /// put.
  template <class T>
  T get(std::string_view member) const {
    const Term term(members_[at(member)]);
    if (!term) throw BadTerm(quoted(member) + " is not known yet");
    return Codec<T>::read(term);
  }
  /// Throws BadTerm if that form has no such member.
  template <class T>
  void put(std::string_view member, const T& value) {
    const std::size_t index = at(member);
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      put_.push_back(make_message(context_, std::string_view(value)));
    } else {
      put_.push_back(make_message(context_, value));
    }
    members_[index] = put_.back().get()->root;
  }

 private:
  template <class T>
  friend struct Codec;

  std::size_t find(std::string_view member) const {
    std::size_t i = 0;
    while (i < members_.size() && member != form_->names[i]) ++i;
    return i;
  }
  std::size_t at(std::string_view member) const {
    const std::size_t found = find(member);
    if (found == members_.size()) throw BadTerm(quoted(member) + " does not exist");
    return found;
  }
  std::string quoted(std::string_view member) const {
    return std::string(form_->name) + "." + std::string(member) + " of version " + form_->version;
  }

  baton_context* context_;
  const baton_form* form_;
  std::vector<baton_term> members_;  // 0: to be put
  std::vector<OwnedMessage> put_;    // what members_ point into, beside the message itself
};

/// The whole message, to be written.
template <>
struct Codec<OtherForm> : codec::Immediate {
  static void measure(Measure& measure, const OtherForm& form) {
    if (form.members_.empty()) return;
    measure.words += 2 + form.members_.size();
    for (std::size_t i = 0; i < form.members_.size(); ++i) {
      if (form.members_[i] == BATON_NO_TERM)
        throw BadTerm(form.quoted(form.form_->names[i]) + " is left without a value");
      Codec<Term>::measure(measure, Term(form.members_[i]));
    }
  }
  static baton_term write(Cursor& cursor, const OtherForm& form) {
    const Atom name(form.name());
    const std::size_t size = form.members_.size();
    if (size == 0) return name.word;
    baton_term* const box = cursor.box(BATON_KIND_TUPLE, 1 + size, 1 + size);
    box[1] = name.word;
    for (std::size_t i = 0; i < size; ++i)
      box[2 + i] = Codec<Term>::write(cursor, Term(form.members_[i]));
    return reinterpret_cast<baton_term>(box);
  }
};

namespace message_hook {

template <class M>
inline constexpr bool kHasChange = requires(M& made, const OtherForm& old, Version v) {
  M::message_change(made, old, v);
};
template <class M>
inline constexpr bool kHasRevert = requires(const M& sent, OtherForm& older, Version v) {
  M::message_revert(sent, older, v);
};

template <DescribedStruct M>
constexpr void check() {
  static_assert(
      !requires { &M::message_change; } || kHasChange<M>,
      "baton: write static void message_change(Message& made, const baton::OtherForm& old, "
      "baton::Version from)");
  static_assert(
      !requires { &M::message_revert; } || kHasRevert<M>,
      "baton: write static void message_revert(const Message& sent, baton::OtherForm& older, "
      "baton::Version to)");
}

// Those of its members that are known, in this version's order.
template <class M, class... F>
void read(M& into, const baton_form& form, Members<F...>) {
  const baton_term* at = form.members;
  const auto member = [&]<class T>(T& value) {
    if (const Term term(*at++); term) value = Codec<T>::read(term);
  };
  (member(into.*F::pointer), ...);
}

template <class M>
baton_message* change(baton_context* context, const baton_form* from, const baton_form* to,
                      baton_error* error) noexcept {
  baton_message* block = nullptr;
  state::guarded(error, [&] {
    M made{};
    read(made, *to, MembersOf<M>{});
    M::message_change(made, OtherForm(context, from), Version(from->version));
    block = make_message(context, made, 1).release();
  });
  return block;
}
template <class M>
baton_message* revert(baton_context* context, const baton_form* from, const baton_form* to,
                      baton_error* error) noexcept {
  baton_message* block = nullptr;
  state::guarded(error, [&] {
    M sent{};
    read(sent, *from, MembersOf<M>{});
    OtherForm older(context, to);
    M::message_revert(static_cast<const M&>(sent), older, Version(to->version));
    block = make_message(context, older, 1).release();
  });
  return block;
}

// The messages of a contract in the order of its lines in the note.
template <class... M>
struct Contract {
  template <class T>
  static constexpr bool has_any() {
    if constexpr (DescribedStruct<T>) return kHasChange<T> || kHasRevert<T>;
    return false;
  }
  static constexpr std::size_t count = (std::size_t{has_any<M>()} + ... + 0);

  static constexpr auto make() {
    // One more than there are: an array cannot be empty.
    std::array<baton_message_hooks, count + 1> made{};
    std::uint32_t line = 0;
    std::size_t size = 0;
    [[maybe_unused]] const auto add = [&]<class T>(std::type_identity<T>) {
      if constexpr (has_any<T>()) {
        baton_message_hooks& hooks = made[size++];
        hooks.message = line;
        if constexpr (kHasChange<T>) hooks.change = message_hook::change<T>;
        if constexpr (kHasRevert<T>) hooks.revert = message_hook::revert<T>;
      }
      ++line;
    };
    (add(std::type_identity<M>()), ...);
    return made;
  }
  static constexpr auto table = make();
};
template <class... Calls, class... Casts, class... Infos>
Contract<Calls..., Casts..., Infos...> contract_of(Messages<Calls...>, Messages<Casts...>,
                                                   Messages<Infos...>);

/// Puts the hooks of all messages that B takes into its description.
template <class B>
constexpr void put_into(baton_behaviour& description) {
  using Hooks =
      decltype(contract_of(typename B::Calls(), typename B::Casts(), typename B::Infos()));
  description.hook_count = Hooks::count;
  description.hook_stride = sizeof(baton_message_hooks);
  description.hooks = Hooks::table.data();
}

}  // namespace message_hook

}  // namespace baton::inline v1
