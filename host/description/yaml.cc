#include "description/yaml.h"

#include "base/duration.h"
#include "base/utf8.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <istream>
#include <limits>
#include <streambuf>
#include <unordered_set>

namespace baton::description {

namespace {

constexpr std::size_t kQuotedBytesMax = 60;  // of a value that an error repeats

std::string place(const std::string& file, int line, int column) {
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

/// Thrown by the builder through yaml-cpp, caught by parse: the only way to stop its parser.
struct Refusal {
  Error error;
};

class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // never written: there is no put area
    setg(begin, begin, begin + text.size());
  }
};

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace

/// Builds the tree from yaml-cpp's events and refuses what the header says is refused.
class YamlBuilder : public YAML::EventHandler {
 public:
  YamlBuilder(YamlDocument& document) : document_(document), file_(*document.file_) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    no_anchor(mark, anchor);
    add(mark, YamlNode::Kind::kNull, "", false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not taken here; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    no_anchor(mark, anchor);
    const bool quoted = tag == "!";
    if (!quoted && tag != "?" && !tag.empty())
      refuse(mark, "tags such as " + tag + " are not taken here");
    const bool null = !quoted && is_null_word(value);
    add(mark, null ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, value, quoted);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { end(); }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { no_anchor(mark, 1); }

 private:
  struct Level {
    YamlNode* node;
    std::optional<std::string> key;  // of a mapping: read, its value not yet
    YAML::Mark key_mark;
    std::unordered_set<std::string> keys;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& complaint) {
    std::string where;
    if (!levels_.empty()) {
      where = levels_.back().node->path();
      if (levels_.back().key)
        where = (where == "document" ? "" : where + ".") + *levels_.back().key;
      where += ": ";
    }
    throw Refusal{
        Error(Code::kUsage, place(file_, mark.line + 1, mark.column + 1) + where + complaint)};
  }

  void no_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors are not taken here; write the value out");
  }

  YamlNode* add(const YAML::Mark& mark, YamlNode::Kind kind, const std::string& text, bool quoted) {
    if (++nodes_ > kYamlNodesMax)
      refuse(mark, "more than " + std::to_string(kYamlNodesMax) + " values");
    const bool in_mapping =
        !levels_.empty() && levels_.back().node->kind == YamlNode::Kind::kMapping;
    if (in_mapping && !levels_.back().key) {
      if (kind != YamlNode::Kind::kScalar) refuse(mark, "a key must be text");
      if (!levels_.back().keys.insert(text).second)
        refuse(mark, "the key \"" + text + "\" stands twice");
      levels_.back().key = text;
      levels_.back().key_mark = mark;
      return nullptr;
    }
    auto node = std::make_unique<YamlNode>();
    node->kind = kind;
    node->is_quoted = quoted;
    node->text = kind == YamlNode::Kind::kScalar ? text : "";
    // yaml-cpp says of an empty value that it stands where its mapping begins; its key is nearer.
    const bool is_empty = kind == YamlNode::Kind::kNull && in_mapping;
    const YAML::Mark& at = is_empty ? levels_.back().key_mark : mark;
    node->line = at.line + 1;
    node->column = at.column + 1;
    node->file = &file_;
    YamlNode* added = node.get();
    if (levels_.empty()) {
      document_.root_ = std::move(node);
      return added;
    }
    Level& level = levels_.back();
    node->parent = level.node;
    node->index = level.node->children.size();
    if (in_mapping) node->key = *std::exchange(level.key, std::nullopt);
    level.node->children.push_back(std::move(node));
    return added;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    no_anchor(mark, anchor);
    if (!tag.empty() && tag != "?") refuse(mark, "tags such as " + tag + " are not taken here");
    if (levels_.size() >= static_cast<std::size_t>(kYamlDepthMax))
      refuse(mark, "nested deeper than " + std::to_string(kYamlDepthMax) + " levels");
    levels_.push_back({add(mark, kind, "", false), std::nullopt, {}, {}});
  }
  void end() { levels_.pop_back(); }

  YamlDocument& document_;
  const std::string& file_;
  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

const YamlNode* YamlNode::find(std::string_view wanted) const {
  if (kind != Kind::kMapping) return nullptr;
  for (const auto& child : children)
    if (child->key == wanted) return child.get();
  return nullptr;
}

std::string YamlNode::path() const {
  if (parent == nullptr) return "document";
  const std::string above = parent->parent == nullptr ? "" : parent->path();
  if (parent->kind == Kind::kSequence) return above + "[" + std::to_string(index) + "]";
  return above.empty() ? key : above + "." + key;
}

std::string YamlNode::describe() const {
  switch (kind) {
    case Kind::kNull: return "nothing";
    case Kind::kSequence: return "a list";
    case Kind::kMapping: return "a mapping";
    case Kind::kScalar: break;
  }
  std::string shown = text.substr(0, kQuotedBytesMax);
  shown.resize(utf8_valid_prefix(shown));
  return "\"" + shown + (shown.size() < text.size() ? "...\"" : "\"");
}

Error YamlNode::error(const std::string& complaint) const {
  return Error(Code::kUsage, place(*file, line, column) + path() + ": " + complaint);
}

Error YamlNode::expected(const std::string& what) const {
  return error("expected " + what + ", got " + describe());
}

Result<std::string> YamlNode::as_text() const {
  if (kind != Kind::kScalar) return expected("text");
  if (text.find('\0') != std::string::npos) return error("a zero byte is not taken in text");
  return text;
}

namespace {

/// The whole plain scalar as a T by from_chars.
template <class T>
std::optional<T> plain(const YamlNode& node) {
  T value{};
  if (node.kind != YamlNode::Kind::kScalar || node.is_quoted) return std::nullopt;
  const char* end = node.text.data() + node.text.size();
  auto [at, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

template <class T>
Result<T> in_range(const YamlNode& node, const char* what, T min, T max) {
  std::optional<T> value = plain<T>(node);
  if (!value || *value < min || *value > max) {
    const bool open = max == std::numeric_limits<T>::max();
    return node.expected(std::string(what) + (open ? " of at least " : " from ") +
                         std::to_string(min) + (open ? "" : " to " + std::to_string(max)));
  }
  return *value;
}

}  // namespace

Result<std::int64_t> YamlNode::as_integer(std::int64_t min, std::int64_t max) const {
  return in_range<std::int64_t>(*this, "an integer", min, max);
}

Result<std::uint64_t> YamlNode::as_count(std::uint64_t min, std::uint64_t max) const {
  return in_range<std::uint64_t>(*this, "an integer", min, max);
}

Result<double> YamlNode::as_number(double min, double max) const {
  std::optional<double> value = plain<double>(*this);
  if (!value || !(*value >= min && *value <= max)) {
    char range[96];
    std::snprintf(range, sizeof range, "a number from %g to %g", min, max);
    return expected(range);
  }
  return *value;
}

Result<bool> YamlNode::as_bool() const {
  if (kind == Kind::kScalar && !is_quoted) {
    if (text == "true") return true;
    if (text == "false") return false;
  }
  return expected("true or false");
}

Result<std::chrono::nanoseconds> YamlNode::as_duration() const {
  if (kind != Kind::kScalar) return expected("a duration such as \"30s\"");
  Result<std::chrono::nanoseconds> duration = parse_duration(text);
  if (!duration.ok()) return expected("a duration such as \"30s\"");
  return duration;
}

Result<std::uint64_t> YamlNode::as_bytes(std::uint64_t max) const {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr Unit kUnits[] = {
      {"", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};
  const std::string wanted = "a size such as \"64KiB\", at most " + std::to_string(max) + " bytes";
  std::uint64_t number = 0;
  if (kind != Kind::kScalar) return expected(wanted);
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view name(at, static_cast<std::size_t>(text.data() + text.size() - at));
  for (const Unit& unit : kUnits)
    if (error == std::errc() && name == unit.name && number <= max / unit.bytes)
      return number * unit.bytes;
  return expected(wanted);
}

Result<WallTime> YamlNode::as_time() const {
  if (kind == Kind::kScalar) {
    Result<WallTime> time = parse_time(text);
    if (time.ok()) return time;
  }
  return expected("a time such as \"2026-11-22T20:41:10Z\" or a date");
}

Result<YamlDocument> YamlDocument::parse(std::string_view text, std::string file) {
  if (text.size() > kYamlBytesMax)
    return Error(Code::kUsage, file + ": larger than the " + std::to_string(kYamlBytesMax) +
                                   " bytes that are taken here");
  // yaml-cpp would replace invalid bytes without a word.
  const std::size_t valid = utf8_valid_prefix(text);
  const std::size_t zero = text.find('\0');
  if (const std::size_t bad = std::min(valid, zero); bad < text.size()) {
    const std::string_view before = text.substr(0, bad);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
    return Error(Code::kUsage,
                 place(file, static_cast<int>(line), static_cast<int>(bad - start) + 1) +
                     (bad == zero ? "a zero byte" : "a byte that is not valid UTF-8"));
  }

  YamlDocument document;
  document.file_ = std::make_unique<std::string>(std::move(file));
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    YamlBuilder builder(document);
    if (parser.HandleNextDocument(builder)) {
      YamlDocument second;
      second.file_ = std::make_unique<std::string>(*document.file_);
      YamlBuilder next(second);
      if (parser.HandleNextDocument(next))
        return Error(Code::kUsage, *document.file_ + ": more than one document; expected one");
    }
  } catch (const Refusal& refusal) {
    return refusal.error;
  } catch (const YAML::Exception& e) {
    // "bad file" is how it says that its own recursion limit was reached.
    return Error(Code::kUsage, place(*document.file_, e.mark.line + 1, e.mark.column + 1) + e.msg);
  } catch (const std::exception& e) {
    return Error(Code::kUsage, *document.file_ + ": " + e.what());
  }
  if (document.root_ == nullptr) {
    document.root_ = std::make_unique<YamlNode>();
    document.root_->line = document.root_->column = 1;
    document.root_->file = document.file_.get();
  }
  return document;
}

YamlMapping::YamlMapping(const YamlNode& node) : node_(node) {
  if (node.kind != YamlNode::Kind::kMapping && node.kind != YamlNode::Kind::kNull)
    fail(node.expected("a mapping"));
}

const YamlNode* YamlMapping::optional(std::string_view key) {
  known_.emplace_back(key);
  return failed() ? nullptr : node_.find(key);
}

const YamlNode* YamlMapping::required(std::string_view key) {
  const YamlNode* found = optional(key);
  if (found == nullptr && !failed())
    fail(node_.error("the key \"" + std::string(key) + "\" is missing"));
  return found;
}

void YamlMapping::text(std::string_view key, std::string& out) {
  if (const YamlNode* node = optional(key)) take(node->as_text(), out);
}

void YamlMapping::count(std::string_view key, std::uint64_t min, std::uint64_t max,
                        std::uint64_t& out) {
  if (const YamlNode* node = optional(key)) take(node->as_count(min, max), out);
}

void YamlMapping::count(std::string_view key, std::uint32_t min, std::uint32_t max,
                        std::uint32_t& out) {
  std::uint64_t wide = out;
  count(key, std::uint64_t{min}, std::uint64_t{max}, wide);
  out = static_cast<std::uint32_t>(wide);
}

void YamlMapping::number(std::string_view key, double min, double max, double& out) {
  if (const YamlNode* node = optional(key)) take(node->as_number(min, max), out);
}

void YamlMapping::boolean(std::string_view key, bool& out) {
  if (const YamlNode* node = optional(key)) take(node->as_bool(), out);
}

void YamlMapping::duration(std::string_view key, std::chrono::nanoseconds& out) {
  if (const YamlNode* node = optional(key)) take(node->as_duration(), out);
}

void YamlMapping::bytes(std::string_view key, std::uint64_t max, std::uint64_t& out) {
  if (const YamlNode* node = optional(key)) take(node->as_bytes(max), out);
}

bool YamlMapping::check_list(const YamlNode& node, std::size_t items_max) {
  if (node.kind == YamlNode::Kind::kNull) return true;
  if (node.kind != YamlNode::Kind::kSequence) {
    fail(node.expected("a list"));
    return false;
  }
  if (node.children.size() > items_max) {
    fail(node.error("expected at most " + std::to_string(items_max) + " items, got " +
                    std::to_string(node.children.size())));
    return false;
  }
  return true;
}

void YamlMapping::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

Result<void> YamlMapping::finish() {
  if (error_) return *error_;
  for (const auto& child : node_.children) {
    if (std::find(known_.begin(), known_.end(), child->key) != known_.end()) continue;
    for (const std::string& known : known_)
      if (child->key.size() <= known.size() + 2 && distance(known, child->key) <= 2)
        return child->error("the key is not known here; did you mean \"" + known + "\"?");
    std::string message = "the key is not known here";
    for (const std::string& known : known_)
      message += (&known == &known_[0] ? "; known: " : ", ") + known;
    return child->error(message);
  }
  return {};
}

std::string yaml_quote(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

namespace {

/// Lower-case words, as all keys of our own are, but none that YAML readers take for a value.
bool is_bare_key(std::string_view key) {
  const bool word = key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
  return word && key.size() > 3 && key != "true" && key != "false" && key != "null";
}

/// `indent` is that of the line the node begins on.
void write_node(std::string& out, const YamlNode& node, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  switch (node.kind) {
    case YamlNode::Kind::kNull: out += " ~\n"; return;
    case YamlNode::Kind::kScalar:
      // A plain scalar may have meant a number; it can be written bare again unless it spanned
      // lines.
      out += " " +
             (node.is_quoted || node.text.find_first_of("\n\t") != std::string::npos
                  ? yaml_quote(node.text)
                  : node.text) +
             "\n";
      return;
    case YamlNode::Kind::kSequence:
      if (node.children.empty()) {
        out += " []\n";
        return;
      }
      out += "\n";
      for (const auto& child : node.children) {
        out += margin + "-";
        write_node(out, *child, indent + 2);
      }
      return;
    case YamlNode::Kind::kMapping:
      if (node.children.empty()) {
        out += " {}\n";
        return;
      }
      out += "\n";
      for (const auto& child : node.children) {
        out += margin + (is_bare_key(child->key) ? child->key : yaml_quote(child->key)) + ":";
        write_node(out, *child, indent + 2);
      }
      return;
  }
}

}  // namespace

std::string write_yaml(const YamlNode& node, int indent) {
  std::string out;
  write_node(out, node, indent);
  return out;
}

}  // namespace baton::description
