#include "behaviour/child_spec.h"

#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <array>
#include <cmath>
#include <optional>
#include <unordered_set>
#include <utility>

namespace baton::behaviour {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using term::atom;

std::string text_of(baton_term t, const term::AtomTable& atoms) {
  return term::print(t, atoms, {.bytes = 500});
}

Error refuse(const std::string& what, const std::string& wanted, baton_term got,
             const term::AtomTable& atoms) {
  const std::string found = got == BATON_NO_TERM ? "nothing" : text_of(got, atoms);
  return Error(Code::kUsage, what + ": expected " + wanted + ", got " + found);
}

// ---- Words for enumerators, in the order of their enums

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};
constexpr std::array kStrategies{Word<Strategy>{Strategy::kOneForOne, "one_for_one"},
                                 Word<Strategy>{Strategy::kOneForAll, "one_for_all"},
                                 Word<Strategy>{Strategy::kRestForOne, "rest_for_one"},
                                 Word<Strategy>{Strategy::kSimpleOneForOne, "simple_one_for_one"}};
constexpr std::array kRestarts{Word<RestartType>{RestartType::kPermanent, "permanent"},
                               Word<RestartType>{RestartType::kTransient, "transient"},
                               Word<RestartType>{RestartType::kTemporary, "temporary"}};
constexpr std::array kAutoShutdowns{
    Word<AutoShutdown>{AutoShutdown::kNever, "never"},
    Word<AutoShutdown>{AutoShutdown::kAnySignificant, "any_significant"},
    Word<AutoShutdown>{AutoShutdown::kAllSignificant, "all_significant"}};
constexpr std::array kTypes{Word<ChildType>{ChildType::kWorker, "worker"},
                            Word<ChildType>{ChildType::kSupervisor, "supervisor"}};

template <class Enum, std::size_t N>
std::string_view word_of(const std::array<Word<Enum>, N>& words, Enum value) {
  for (const auto& word : words)
    if (word.value == value) return word.text;
  BATON_CHECK(false, "an enumerator without a word");
  return {};
}

template <class Enum, std::size_t N>
Result<Enum> read_word(const std::array<Word<Enum>, N>& words, std::optional<baton_term> t,
                       Enum missing, const std::string& what, const term::AtomTable& atoms) {
  if (!t) return missing;
  std::string allowed;
  for (const auto& word : words) {
    if (atom(word.text) == *t) return word.value;
    allowed += (allowed.empty() ? "" : " | ") + std::string(word.text);
  }
  return refuse(what, allowed, *t, atoms);
}

baton_term name(std::string_view text, term::AtomTable& atoms) {
  auto known = atoms.intern(text);
  return known.ok() ? *known : term::atoms::kUndefined;
}

// A module's or a behaviour's name: an atom or a binary.
Result<std::string> read_name(baton_term t, const std::string& what, const term::AtomTable& atoms) {
  if (auto bytes = term::as_binary(t)) return std::string(*bytes);
  if (term::is_atom(t))
    if (auto text = atoms.text(t)) return std::string(*text);
  return refuse(what, "a name", t, atoms);
}

Result<Shutdown> read_shutdown(std::optional<baton_term> t, ChildType type, const std::string& what,
                               const term::AtomTable& atoms) {
  Shutdown shutdown;
  if (!t) {
    if (type == ChildType::kSupervisor) shutdown.kind = Shutdown::Kind::kInfinity;
    return shutdown;
  }
  if (*t == term::atoms::kInfinity) {
    shutdown.kind = Shutdown::Kind::kInfinity;
    return shutdown;
  }
  if (*t == term::atoms::kBrutalKill) {
    shutdown.kind = Shutdown::Kind::kBrutalKill;
    return shutdown;
  }
  const auto ms = term::as_int(*t);
  if (!ms || *ms < 0 || milliseconds(*ms) > kShutdownMax)
    return refuse(what, "brutal_kill, infinity or milliseconds, at most those of a year", *t,
                  atoms);
  shutdown.timeout = milliseconds(*ms);
  return shutdown;
}

baton_term write(const Shutdown& shutdown) {
  switch (shutdown.kind) {
    case Shutdown::Kind::kBrutalKill: return term::atoms::kBrutalKill;
    case Shutdown::Kind::kInfinity: return term::atoms::kInfinity;
    case Shutdown::Kind::kTimeout:
      return term::make_int(std::chrono::ceil<milliseconds>(shutdown.timeout).count());
  }
  return term::atoms::kUndefined;
}

Result<nanoseconds> read_period(baton_term t, const term::AtomTable& atoms) {
  double seconds = -1;
  if (auto whole = term::as_int(t)) seconds = static_cast<double>(*whole);
  if (auto real = term::as_float(t)) seconds = *real;
  constexpr double kMax = static_cast<double>(kPeriodMax.count()) / 1e9;
  if (!(seconds > 0) || seconds > kMax)
    return refuse("period", "seconds above 0, at most those of a year", t, atoms);
  return nanoseconds(std::llround(seconds * 1e9));
}

bool is_host_supervisor(const ChildSpec& spec) {
  return spec.module == kHostModule && spec.behaviour == kSupervisorName;
}

}  // namespace

// ---- Checks

namespace {

Result<void> check_child(const SupervisorFlags& flags, const ChildSpec& spec,
                         const term::AtomTable& atoms) {
  const std::string what = "child " + text_of(spec.id.root(), atoms);
  const auto complain = [&](const std::string& complaint) {
    return Error(Code::kUsage, what + ": " + complaint);
  };
  if (!spec.id) return complain("it has no id");
  if (!spec.args) return complain("it has no args");
  if (spec.module.empty() || spec.behaviour.empty())
    return complain("start names no module or no behaviour");
  if (spec.significant && spec.restart == RestartType::kPermanent)
    return complain("a permanent child cannot be significant: make it transient or temporary");
  if (spec.significant && flags.auto_shutdown == AutoShutdown::kNever)
    return complain(
        "significant needs a supervisor with auto_shutdown any_significant or "
        "all_significant");
  if (flags.strategy == Strategy::kSimpleOneForOne) {
    if (!term::list_length(spec.args.root()))
      return complain(
          "the args of simple_one_for_one's template must be a list, to which those "
          "of start_child are added");
    if (spec.name != BATON_NO_TERM)
      return complain("the children of simple_one_for_one cannot share a registered name");
  }
  if (is_host_supervisor(spec)) {
    BATON_ASSIGN(const SupervisorSpec nested, read_supervisor_spec(spec.args.root(), atoms));
    auto checked = check_childspecs(nested.flags, nested.children, atoms);
    if (!checked.ok()) return Error(checked.error()).within(what);
  } else if (spec.module == kHostModule) {
    return complain("the host has no behaviour " + spec.behaviour + " for children");
  }
  return {};
}

}  // namespace

Result<void> check_childspecs(const SupervisorFlags& flags, std::span<const ChildSpec> specs,
                              const term::AtomTable& atoms) {
  if (flags.intensity > kIntensityMax)
    return Error(Code::kUsage, "intensity: expected at most " + std::to_string(kIntensityMax));
  if (flags.period <= nanoseconds(0) || flags.period > kPeriodMax)
    return Error(Code::kUsage, "period: expected more than 0 and at most a year");
  if (specs.size() > kChildSpecsMax)
    return Error(Code::kUsage, "expected at most " + std::to_string(kChildSpecsMax) +
                                   " child specs, got " + std::to_string(specs.size()));
  if (flags.strategy == Strategy::kSimpleOneForOne && specs.size() != 1)
    return Error(Code::kUsage,
                 "simple_one_for_one: expected one child spec, the template of all, "
                 "got " +
                     std::to_string(specs.size()));
  std::unordered_set<Literal, LiteralHash> ids;
  for (const ChildSpec& spec : specs) {
    BATON_TRY(check_child(flags, spec, atoms));
    if (!ids.insert(spec.id).second)
      return Error(Code::kUsage,
                   "child " + text_of(spec.id.root(), atoms) + ": two children have this id");
  }
  return {};
}

// ---- Terms

Result<ChildSpec> read_child_spec(baton_term map, const term::AtomTable& atoms) {
  if (!term::as_map(map)) return refuse("a child spec", "a map", map, atoms);
  ChildSpec spec;
  const auto id = term::map_value(map, atom("id"));
  if (!id) return refuse("a child spec", "the key id", map, atoms);
  spec.id = Literal(*id);
  const std::string what = "child " + text_of(*id, atoms);

  const auto start = term::map_value(map, atom("start"));
  const auto parts = term::tuple_of(start.value_or(BATON_NO_TERM), 3);
  if (!parts)
    return refuse(what + ": start", "{Module, Behaviour, Args}", start.value_or(BATON_NO_TERM),
                  atoms);
  BATON_ASSIGN(spec.module, read_name((*parts)[0], what + ": module", atoms));
  BATON_ASSIGN(spec.behaviour, read_name((*parts)[1], what + ": behaviour", atoms));
  spec.args = Literal((*parts)[2]);

  if (const auto registered = term::map_value(map, atom("name"))) {
    if (!term::is_atom(*registered)) return refuse(what + ": name", "an atom", *registered, atoms);
    spec.name = *registered;
  }
  BATON_ASSIGN(spec.restart, read_word(kRestarts, term::map_value(map, atom("restart")),
                                       spec.restart, what + ": restart", atoms));
  const ChildType usual = is_host_supervisor(spec) ? ChildType::kSupervisor : ChildType::kWorker;
  BATON_ASSIGN(spec.type, read_word(kTypes, term::map_value(map, atom("type")), usual,
                                    what + ": type", atoms));
  BATON_ASSIGN(spec.shutdown, read_shutdown(term::map_value(map, atom("shutdown")), spec.type,
                                            what + ": shutdown", atoms));
  if (const auto significant = term::map_value(map, atom("significant"))) {
    const auto value = term::as_boolean(*significant);
    if (!value) return refuse(what + ": significant", "true or false", *significant, atoms);
    spec.significant = *value;
  }
  return spec;
}

Result<SupervisorFlags> read_flags(baton_term map, const term::AtomTable& atoms) {
  if (!term::as_map(map)) return refuse("supervisor flags", "a map", map, atoms);
  SupervisorFlags flags;
  BATON_ASSIGN(flags.strategy, read_word(kStrategies, term::map_value(map, atom("strategy")),
                                         flags.strategy, "strategy", atoms));
  BATON_ASSIGN(flags.auto_shutdown,
               read_word(kAutoShutdowns, term::map_value(map, atom("auto_shutdown")),
                         flags.auto_shutdown, "auto_shutdown", atoms));
  if (const auto intensity = term::map_value(map, atom("intensity"))) {
    const auto value = term::as_int(*intensity);
    if (!value || *value < 0 || *value > std::int64_t{kIntensityMax})
      return refuse("intensity", "0 to " + std::to_string(kIntensityMax), *intensity, atoms);
    flags.intensity = static_cast<std::uint32_t>(*value);
  }
  if (const auto period = term::map_value(map, atom("period"))) {
    BATON_ASSIGN(flags.period, read_period(*period, atoms));
  }
  return flags;
}

Result<SupervisorSpec> read_supervisor_spec(baton_term args, const term::AtomTable& atoms) {
  const auto parts = term::tuple_of(args, 2);
  if (!parts || !term::list_length((*parts)[1]))
    return refuse("a supervisor's args", "{Flags, [ChildSpec]}", args, atoms);
  SupervisorSpec spec;
  BATON_ASSIGN(spec.flags, read_flags((*parts)[0], atoms));
  for (baton_term map : term::elements((*parts)[1])) {
    BATON_ASSIGN(ChildSpec child, read_child_spec(map, atoms));
    spec.children.push_back(std::move(child));
  }
  return spec;
}

baton_term write(const ChildSpec& spec, term::Builder& builder, term::AtomTable& atoms) {
  std::vector<term::Builder::Pair> pairs{
      {name("id", atoms), spec.id.root()},
      {name("start", atoms),
       builder.tuple({name(spec.module, atoms), name(spec.behaviour, atoms), spec.args.root()})},
      {name("restart", atoms), name(word_of(kRestarts, spec.restart), atoms)},
      {name("shutdown", atoms), write(spec.shutdown)},
      {name("type", atoms), name(word_of(kTypes, spec.type), atoms)},
      {name("significant", atoms), term::boolean(spec.significant)},
  };
  if (spec.name != BATON_NO_TERM) pairs.emplace_back(name("name", atoms), spec.name);
  return builder.map(pairs);
}

baton_term write(const SupervisorFlags& flags, term::Builder& builder, term::AtomTable& atoms) {
  constexpr nanoseconds kSecond = std::chrono::seconds(1);
  const bool is_whole = flags.period % kSecond == nanoseconds(0);
  const baton_term period = is_whole
                                ? builder.integer(flags.period / kSecond)
                                : builder.real(static_cast<double>(flags.period.count()) / 1e9);
  return builder.map({
      {name("strategy", atoms), name(word_of(kStrategies, flags.strategy), atoms)},
      {name("intensity", atoms), builder.unsigned_integer(flags.intensity)},
      {name("period", atoms), period},
      {name("auto_shutdown", atoms), name(word_of(kAutoShutdowns, flags.auto_shutdown), atoms)},
  });
}

Literal write(const SupervisorSpec& spec, term::AtomTable& atoms) {
  term::Builder builder;
  std::vector<baton_term> children;
  children.reserve(spec.children.size());
  for (const ChildSpec& child : spec.children) children.push_back(write(child, builder, atoms));
  return Literal(builder.tuple({write(spec.flags, builder, atoms), builder.list(children)}));
}

// ---- Descriptions

namespace {

Result<baton_term> optional_atom(const std::string& text, term::AtomTable& atoms) {
  if (text.empty()) return BATON_NO_TERM;
  return atoms.intern(text);
}

}  // namespace

Result<ChildSpec> child_spec_of(const description::ChildDescription& description,
                                term::AtomTable& atoms) {
  ChildSpec spec;
  BATON_ASSIGN(const baton_term id, atoms.intern(description.id));
  spec.id = Literal(id);
  spec.restart = description.restart;
  spec.shutdown = description.shutdown;
  spec.type = description.type;
  spec.significant = description.significant;
  if (description.type == ChildType::kSupervisor) {
    BATON_ASSIGN(const SupervisorSpec nested, supervisor_spec_of(description.supervisor, atoms));
    BATON_ASSIGN(spec.name, optional_atom(description.supervisor.name, atoms));
    spec.module = kHostModule;
    spec.behaviour = kSupervisorName;
    spec.args = write(nested, atoms);
    return spec;
  }
  BATON_ASSIGN(spec.name, optional_atom(description.name, atoms));
  spec.module = description.module;
  spec.behaviour = description.behaviour;
  auto args = Literal::parse(description.args, atoms);
  if (!args.ok()) return std::move(args).error().within("args");
  spec.args = std::move(args).value();
  return spec;
}

Result<SupervisorSpec> supervisor_spec_of(const description::SupervisorDescription& description,
                                          term::AtomTable& atoms) {
  SupervisorSpec spec;
  spec.flags = {.strategy = description.strategy,
                .intensity = description.intensity,
                .period = description.period,
                .auto_shutdown = description.auto_shutdown};
  for (const description::ChildDescription& child : description.children) {
    auto converted = child_spec_of(child, atoms);
    if (!converted.ok()) return std::move(converted).error().within("child " + child.id);
    spec.children.push_back(std::move(converted).value());
  }
  BATON_TRY(check_childspecs(spec.flags, spec.children, atoms));
  return spec;
}

}  // namespace baton::behaviour
