#include "module/contract.h"

#include "module/message_form.h"
#include "module/scalar.h"

#include <algorithm>

namespace baton::module {

namespace {

class Comparison {
 public:
  ContractDifference run(const ModuleNote& from, const ModuleNote& to) {
    for (const BehaviourNote& f : from.behaviours) {
      behaviour_ = f.name;
      if (const BehaviourNote* t = to.behaviour(f.name))
        behaviours(f, *t);
      else
        breaks({}, "behaviour " + f.name + " is gone");
    }
    for (const BehaviourNote& t : to.behaviours) {
      behaviour_ = t.name;
      if (from.behaviour(t.name) == nullptr) adds({}, "behaviour " + t.name + " is new");
    }
    return std::move(result_);
  }

 private:
  static const ContractMessage* find(const BehaviourNote& behaviour, const ContractMessage& like) {
    const ContractMessage* found = nullptr;
    for (const ContractMessage& m : behaviour.messages) {
      if (m.kind != like.kind || m.name != like.name) continue;
      if (m.type_text == like.type_text) return &m;
      if (found == nullptr) found = &m;
    }
    return found;
  }
  static std::string title(const ContractMessage& m) {
    return std::string(message_kind_name(m.kind)) + " " + m.name;
  }

  void breaks(const ContractMessage& message, std::string text, bool is_reply = false) {
    result_.breaks.push_back({behaviour_, message.name, std::move(text), message.kind, is_reply});
  }
  void adds(const ContractMessage& message, std::string text) {
    result_.additions.push_back({behaviour_, message.name, std::move(text), message.kind});
  }

  void behaviours(const BehaviourNote& from, const BehaviourNote& to) {
    for (const ContractMessage& f : from.messages) {
      if (const ContractMessage* t = find(to, f))
        messages(f, *t);
      else
        breaks(f, title(f) + " is no longer taken");
    }
    for (const ContractMessage& t : to.messages)
      if (find(from, t) == nullptr) adds(t, title(t) + " is new");
  }

  void messages(const ContractMessage& from, const ContractMessage& to) {
    if (from.reply != to.reply)
      breaks(from, title(from) + ": reply " + from.reply + " -> " + to.reply, true);
    if (from.type_text == to.type_text) return;
    const auto old_members = members_of(from.type_text), new_members = members_of(to.type_text);
    if (!old_members || !new_members) return type(from, "", from.type_text, to.type_text);
    const std::size_t before = result_.breaks.size() + result_.additions.size();
    for (const MessageMember& f : *old_members) {
      auto t = named(*new_members, f.name);
      if (t == new_members->end())
        breaks(from, title(from) + ": member " + std::string(f.name) + " is gone");
      else if (t->type != f.type)
        type(from, "member " + std::string(f.name) + ": ", f.type, t->type);
    }
    for (const MessageMember& t : *new_members)
      if (named(*old_members, t.name) == old_members->end())
        breaks(from, title(from) + ": member " + std::string(t.name) +
                         " is new, so the message is longer");
    if (result_.breaks.size() + result_.additions.size() == before)
      breaks(from, title(from) + ": its members stand in another order");
  }

  void type(const ContractMessage& message, const std::string& member, std::string_view from,
            std::string_view to) {
    std::string text =
        title(message) + ": " + member + std::string(from) + " -> " + std::string(to);
    if (is_widening(from, to))
      adds(message, std::move(text));
    else
      breaks(message, std::move(text));
  }

  static std::vector<MessageMember>::const_iterator named(const std::vector<MessageMember>& all,
                                                          std::string_view name) {
    return std::find_if(all.begin(), all.end(),
                        [&](const MessageMember& m) { return m.name == name; });
  }

  ContractDifference result_;
  std::string behaviour_;
};

}  // namespace

ContractDifference compare_contracts(const ModuleNote& from, const ModuleNote& to) {
  return Comparison().run(from, to);
}

}  // namespace baton::module
