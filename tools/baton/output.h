// Output: what a verb has to say, as a table for people or as JSON for scripts.
//
// Data goes to standard output, progress and errors to standard error. JSON is one envelope for
// success and error alike: {"api":"baton/1","ok":true,"data":...}.
//
// What is shown may come from anywhere, as an unsigned bundle: no control character of it reaches
// the terminal as it is.
//
// Threads: one.
#pragma once

#include "base/result.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace baton::cli {

enum class Format { kTable, kJson };

class Output {
 public:
  Format format = Format::kTable;

  /// One step of something long, on standard error: "  12 ms  plan  ..."
  void progress(const boost::json::object& line) const;
  void note(const std::string& text) const;

  /// Rows under their headings; with kJson the data as it is.
  void table(const boost::json::value& data, const std::vector<std::string>& headings,
             const std::vector<std::vector<std::string>>& rows) const;
  /// Key and value on a line each; with kJson the data as it is.
  void facts(const boost::json::value& data,
             const std::vector<std::pair<std::string, std::string>>& facts) const;
  /// A line of text; with kJson the data as it is.
  void line(const boost::json::value& data, const std::string& text) const;
  /// The exit code of the process.
  int error(const Error& error) const;

 private:
  bool json(const boost::json::value& data) const;
};

/// The text with control characters and invalid bytes escaped as in JSON.
std::string for_terminal(std::string_view text);

/// A value in one cell: texts without quotes, null as "-", numbers without an exponent.
std::string cell(const boost::json::value& value);
/// The member of an object as a cell; "-" if it is not there.
std::string cell(const boost::json::value& object, const char* key);
/// A number of milliseconds for people: "929ms", and from a second on whole seconds, "1m30s".
std::string duration_cell(const boost::json::value& milliseconds);

}  // namespace baton::cli
