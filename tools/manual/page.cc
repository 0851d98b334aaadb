#include "manual/page.h"

#include "base/version.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace baton::manual {

namespace {

using Options = std::vector<const CLI::Option*>;

// Text as roff prints it: no line of it is a request, no dash a hyphen.
std::string escaped(std::string_view text) {
  std::string roff;
  bool at_line_start = true;
  for (char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) roff += "\\&";
    at_line_start = c == '\n';
    if (c == '\\')
      roff += "\\e";
    else if (c == '-')
      roff += "\\-";
    else if (c == '\'')
      roff += "\\(aq";
    else
      roff += c;
  }
  return roff;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// "-o, --output-format FORMAT", or the name of a positional.
std::string tag(const CLI::Option& option) {
  if (option.get_positional()) return italic(upper(option.get_name(true)));
  std::string names;
  const auto add = [&](const std::string& name) {
    names += (names.empty() ? "" : ", ") + bold(name);
  };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  if (takes_value(option)) names += " " + italic(option.get_type_name());
  return names;
}

std::string describe(const CLI::Option& option) {
  std::string text = escaped(option.get_description());
  if (!option.get_default_str().empty())
    text += " (default: " + escaped(option.get_default_str()) + ")";
  if (option.get_required() && !option.get_positional()) text += " (required)";
  if (!option.get_envname().empty()) text += "; else from " + bold(option.get_envname());
  return text + ".";
}

Options options_of(const CLI::App& app, bool is_positional) {
  Options all;
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional() == is_positional && option != app.get_help_ptr())
      all.push_back(option);
  return all;
}

std::string entries(const Options& options) {
  std::string roff;
  for (const CLI::Option* option : options)
    roff += ".TP\n" + tag(*option) + "\n" + describe(*option) + "\n";
  return roff;
}

// "baton upgrade bundle [options]" after the names of the verbs above.
std::string usage(const CLI::App& verb, const std::string& name) {
  std::string line = bold(name);
  for (const CLI::Option* option : options_of(verb, true)) {
    const std::string value = italic(upper(option->get_name(true)));
    line += option->get_required() ? " " + value : " [" + value + "]";
  }
  for (const CLI::Option* option : options_of(verb, false))
    if (option->get_required()) line += " " + tag(*option);
  const Options rest = options_of(verb, false);
  if (std::any_of(rest.begin(), rest.end(),
                  [](const CLI::Option* option) { return !option->get_required(); }))
    line += " [" + italic("OPTIONS") + "]";
  return line;
}

void add_verbs(const CLI::App& above, const std::string& prefix, std::string& roff) {
  for (const CLI::App* verb : above.get_subcommands({})) {
    const std::string name = prefix + verb->get_name();
    if (!verb->get_subcommands({}).empty()) {
      add_verbs(*verb, name + " ", roff);
      continue;
    }
    roff += ".SS " + usage(*verb, name) + "\n" + escaped(verb->get_description()) + ".\n";
    roff += entries(options_of(*verb, true)) + entries(options_of(*verb, false));
    if (!verb->get_footer().empty()) roff += ".PP\n.nf\n" + escaped(verb->get_footer()) + "\n.fi\n";
  }
}

}  // namespace

std::string page(const CLI::App& app, const PageText& text) {
  const std::string name = app.get_name();
  const bool has_verbs = !app.get_subcommands({}).empty();
  std::string roff =
      ".TH " + upper(name) + " " + text.section + " \"\" \"baton " + kVersion + "\"\n";
  roff += ".SH NAME\n" + escaped(name) + " \\- " + escaped(text.summary) + "\n";
  roff += ".SH SYNOPSIS\n" + bold(name) + " [" + italic("OPTIONS") + "]" +
          (has_verbs ? " " + italic("VERB") + " ..." : "") + "\n";
  roff += ".SH DESCRIPTION\n" + escaped(app.get_description()) + "\n";
  roff += ".SH OPTIONS\n" + entries(options_of(app, false));
  if (has_verbs) {
    roff += ".SH VERBS\n";
    add_verbs(app, "", roff);
  }
  for (const auto& [heading, contents] : text.sections) {
    roff += ".SH " + heading + "\n";
    for (const auto& [label, what] : contents)
      roff += ".TP\n" + bold(label) + "\n" + escaped(what) + "\n";
  }
  return roff + ".SH SEE ALSO\n" + escaped(text.see_also) + "\n";
}

}  // namespace baton::manual
