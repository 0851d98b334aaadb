#include "bundle/successor.h"

#include "module/evolution.h"

namespace baton::bundle {

namespace {

class Reasons {
 public:
  void add(const std::string& where, const std::vector<std::string>& reasons) {
    for (const std::string& reason : reasons)
      text_ += (text_.empty() ? "" : "; ") + where + ": " + reason;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

Result<void> check_successor(const Manifest& before, const Manifest& after) {
  Reasons reasons;
  for (const ManifestModule& module : after.modules) {
    const ManifestModule* const older = before.module(module.name);
    if (older == nullptr || older->note == module.note) continue;
    BATON_ASSIGN(const module::ModuleNote from,
                 module::ModuleNote::parse(older->note, older->name + " " + older->version));
    BATON_ASSIGN(const module::ModuleNote to,
                 module::ModuleNote::parse(module.note, module.name + " " + module.version));
    const auto evolution = module::compare(from, to, module::Direction::kUp);
    for (const module::BehaviourChange& behaviour : evolution.behaviours) {
      const std::string where = "module " + module.name + ", behaviour " + behaviour.behaviour;
      if (behaviour.there.outcome == module::Outcome::kImpossible)
        reasons.add(where, behaviour.there.reasons);
      if (after.release.mail != description::MailPolicy::kRefuse) continue;
      for (const module::MessageChange& mail : behaviour.mail_there)
        if (mail.outcome == module::MessageOutcome::kImpossible)
          reasons.add(where + ", " + mail.title(), mail.reasons);
    }
  }
  if (reasons.text().empty()) return {};
  return Error(Code::kRefused, after.release.name + " " + after.release.version +
                                   " cannot take over from " + before.release.version + ": " +
                                   reasons.text());
}

}  // namespace baton::bundle
