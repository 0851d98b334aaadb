// Page: a manual page of a program, in roff, made of its parser: what --help says, said once.
//
// Threads: any thread.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace baton::manual {

/// What the parser does not know.
struct PageText {
  std::string section;  // "1"
  std::string summary;  // after the name, in one line
  /// Entries of a section each, as tags and their texts.
  using Entries = std::vector<std::pair<std::string, std::string>>;
  std::vector<std::pair<std::string, Entries>> sections;
  std::string see_also;  // "batond(8)"
};

/// The options of the program, and a subsection for each verb, verbs of verbs included.
std::string page(const CLI::App& app, const PageText& text);

}  // namespace baton::manual
