// Yaml: YAML from outside, read strictly.
//
// A file becomes a tree of YamlNodes, each knowing where it stood; a YamlMapping reads one mapping
// of it into plain data and refuses what it was not asked for. Every error reads
//   FILE:LINE:COLUMN: KEY.PATH: expected ..., got ...
// yaml-cpp does the scanning; its types stay in yaml.cc.
//
// Narrower than YAML on purpose: one document; anchors, aliases and tags are refused (an alias can
// blow ten lines up to gigabytes); so are duplicate keys and keys that are not text. A quoted
// scalar is always text, so "5" is no number.
//
// Ownership: a YamlDocument owns its nodes; a node lives as long as its document, moves included.
// Threads:   a value type; const members from any thread.
// Fails:     kUsage, with the form above.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::description {

inline constexpr std::size_t kYamlBytesMax = std::size_t{8} << 20;
inline constexpr int kYamlDepthMax = 100;
inline constexpr std::size_t kYamlNodesMax = 200'000;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  bool is_quoted = false;  // of a scalar: quoted or a block
  std::string text;        // of a scalar
  std::vector<std::unique_ptr<YamlNode>> children;
  std::string key;  // under which it stands in its mapping
  int line = 0;     // from 1
  int column = 0;
  const YamlNode* parent = nullptr;
  std::size_t index = 0;  // among its siblings
  const std::string* file = nullptr;

  /// The value under a key of a mapping, or null.
  const YamlNode* find(std::string_view wanted) const;
  /// Where it stands in the document: "applications[0].env"; "document" for the whole.
  std::string path() const;
  /// What it is, for an error: the text in quotes, "a list", "a mapping" or "nothing".
  std::string describe() const;
  /// FILE:LINE:COLUMN: PATH: complaint
  Error error(const std::string& complaint) const;
  /// ... expected WHAT, got what it is
  Error expected(const std::string& what) const;

  // The scalar as a value, or the error that says what was expected.
  Result<std::string> as_text() const;
  Result<std::int64_t> as_integer(std::int64_t min, std::int64_t max) const;
  Result<std::uint64_t> as_count(std::uint64_t min, std::uint64_t max) const;
  Result<double> as_number(double min, double max) const;
  Result<bool> as_bool() const;
  Result<std::chrono::nanoseconds> as_duration() const;
  /// "64KiB", "10MiB", or a plain number of bytes.
  Result<std::uint64_t> as_bytes(std::uint64_t max) const;
  Result<WallTime> as_time() const;
};

class YamlDocument {
 public:
  /// `file` stands for the text in errors.
  static Result<YamlDocument> parse(std::string_view text, std::string file);

  const YamlNode& root() const { return *root_; }

 private:
  friend class YamlBuilder;
  std::unique_ptr<std::string> file_;
  std::unique_ptr<YamlNode> root_;
};

/// One mapping, read key by key. The first error sticks and turns what follows into nothing, so a
/// reader is a list of fields and one finish().
class YamlMapping {
 public:
  /// Null stands for an empty mapping; anything else that is no mapping is the first error.
  explicit YamlMapping(const YamlNode& node);

  /// The key's node if it is there, else null. The key counts as known from now on.
  const YamlNode* optional(std::string_view key);
  /// The same, and it is an error if it is missing.
  const YamlNode* required(std::string_view key);

  // Each leaves `out` alone when the key is absent.
  void text(std::string_view key, std::string& out);
  void count(std::string_view key, std::uint64_t min, std::uint64_t max, std::uint64_t& out);
  void count(std::string_view key, std::uint32_t min, std::uint32_t max, std::uint32_t& out);
  void number(std::string_view key, double min, double max, double& out);
  void boolean(std::string_view key, bool& out);
  void duration(std::string_view key, std::chrono::nanoseconds& out);
  void bytes(std::string_view key, std::uint64_t max, std::uint64_t& out);
  /// One of the words; `out` becomes the value beside it.
  template <class E>
  void word(std::string_view key, std::initializer_list<std::pair<std::string_view, E>> words,
            E& out) {
    const YamlNode* node = optional(key);
    if (node == nullptr) return;
    std::string choices;
    for (const auto& [name, value] : words) {
      if (node->kind == YamlNode::Kind::kScalar && node->text == name) {
        out = value;
        return;
      }
      choices += (choices.empty() ? "" : ", ") + std::string(name);
    }
    fail(node->expected("one of " + choices));
  }
  /// Reads every item of a list with `read`, a function from a YamlNode to a Result<T>.
  template <class T, class Read>
  void list(std::string_view key, std::size_t items_max, std::vector<T>& out, Read read) {
    const YamlNode* node = optional(key);
    if (node == nullptr || !check_list(*node, items_max)) return;
    for (const auto& item : node->children) {
      Result<T> value = read(*item);
      if (!value.ok()) return fail(std::move(value).error());
      out.push_back(std::move(value).value());
    }
  }

  /// Turns a Result into its value, or into the error that sticks.
  template <class T>
  void take(Result<T> result, T& out) {
    if (result.ok())
      out = std::move(result).value();
    else
      fail(std::move(result).error());
  }
  void fail(Error error);
  bool failed() const { return error_.has_value(); }

  /// The first error, or the first key that nobody asked for (with the known key nearest to it), or
  /// success.
  Result<void> finish();

 private:
  bool check_list(const YamlNode& node, std::size_t items_max);

  const YamlNode& node_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

/// The tree as YAML, as what follows a "key:" whose children are to stand at `indent`; read back,
/// it is the same tree, and the same tree gives the same bytes.
std::string write_yaml(const YamlNode& node, int indent);
/// A text as a double-quoted scalar.
std::string yaml_quote(std::string_view text);

}  // namespace baton::description
