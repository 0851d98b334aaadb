#include "description/yaml.h"

#include <gtest/gtest.h>

namespace baton::description {
namespace {

using namespace std::chrono_literals;

std::string error_of(std::string_view text) {
  Result<YamlDocument> document = YamlDocument::parse(text, "batond.yaml");
  return document.ok() ? "no error" : document.error().message();
}

TEST(Yaml, AValueOfTheWrongKindIsReportedWithFileLineColumnAndKey) {
  auto document = *YamlDocument::parse("log: info\nupgrade:\n  probation: 30\n", "batond.yaml");
  std::chrono::nanoseconds probation{};
  YamlMapping upgrade(*document.root().find("upgrade"));
  upgrade.duration("probation", probation);
  EXPECT_EQ(upgrade.finish().error().message(),
            "batond.yaml:3:14: upgrade.probation: expected a duration such as \"30s\", got \"30\"");
}

TEST(Yaml, EveryKindOfValueIsRead) {
  auto document = *YamlDocument::parse(
      "text: 1.0.0\ncount: 7\nnumber: 1.5\nflag: true\nwait: 2m\nsize: 64KiB\ncolour: red\nlist: "
      "[a, b]\n",
      "f");
  YamlMapping mapping(document.root());
  std::string text;
  std::uint64_t count = 0, size = 0;
  double number = 0;
  bool flag = false;
  std::chrono::nanoseconds wait{};
  int colour = 0;
  std::vector<std::string> list;
  mapping.text("text", text);
  mapping.count("count", 1, 9, count);
  mapping.number("number", 0, 2, number);
  mapping.boolean("flag", flag);
  mapping.duration("wait", wait);
  mapping.bytes("size", 1 << 20, size);
  mapping.word<int>("colour", {{"green", 1}, {"red", 2}}, colour);
  mapping.list("list", 2, list, [](const YamlNode& node) { return node.as_text(); });
  ASSERT_TRUE(mapping.finish().ok()) << mapping.finish().error().message();
  EXPECT_EQ(text, "1.0.0");
  EXPECT_EQ(count, 7u);
  EXPECT_EQ(number, 1.5);
  EXPECT_TRUE(flag);
  EXPECT_EQ(wait, 2min);
  EXPECT_EQ(size, 65536u);
  EXPECT_EQ(colour, 2);
  EXPECT_EQ(list, (std::vector<std::string>{"a", "b"}));
}

TEST(Yaml, AbsentKeysLeaveTheirDefaults) {
  auto document = *YamlDocument::parse("", "f");
  YamlMapping mapping(document.root());
  std::string text = "default";
  mapping.text("text", text);
  EXPECT_TRUE(mapping.finish().ok());
  EXPECT_EQ(text, "default");
}

TEST(Yaml, WrongValuesAreRefusedAndSaySo) {
  struct Case {
    const char* text;
    const char* message;
  };
  auto read = [](const char* text) {
    auto document = *YamlDocument::parse(text, "f");
    YamlMapping mapping(document.root());
    std::uint64_t count = 0, size = 0;
    bool flag = false;
    int word = 0;
    std::vector<std::string> list;
    mapping.count("count", 1, 9, count);
    mapping.boolean("flag", flag);
    mapping.bytes("size", 1024, size);
    mapping.word<int>("word", {{"one", 1}, {"two", 2}}, word);
    mapping.list("list", 1, list, [](const YamlNode& node) { return node.as_text(); });
    Result<void> done = mapping.finish();
    return done.ok() ? std::string("no error") : done.error().message();
  };
  for (const Case& c : {
           Case{"count: 10", "f:1:8: count: expected an integer from 1 to 9, got \"10\""},
           Case{"count: \"5\"", "f:1:8: count: expected an integer from 1 to 9, got \"5\""},
           Case{"count: -1", "f:1:8: count: expected an integer from 1 to 9, got \"-1\""},
           Case{"count: 99999999999999999999",
                "f:1:8: count: expected an integer from 1 to 9, got "
                "\"99999999999999999999\""},
           Case{"count: [1]", "f:1:8: count: expected an integer from 1 to 9, got a list"},
           Case{"flag: true\ncount:", "f:2:1: count: expected an integer from 1 to 9, got nothing"},
           Case{"flag: yes", "f:1:7: flag: expected true or false, got \"yes\""},
           Case{"size: 2KiB",
                "f:1:7: size: expected a size such as \"64KiB\", at most 1024 bytes, got "
                "\"2KiB\""},
           Case{"size: 64KB",
                "f:1:7: size: expected a size such as \"64KiB\", at most 1024 bytes, got "
                "\"64KB\""},
           Case{"word: three", "f:1:7: word: expected one of one, two, got \"three\""},
           Case{"list: a", "f:1:7: list: expected a list, got \"a\""},
           Case{"list: [a, b]", "f:1:7: list: expected at most 1 items, got 2"},
           Case{"list: [{}]", "f:1:8: list[0]: expected text, got a mapping"},
           Case{"colour: red",
                "f:1:9: colour: the key is not known here; known: count, flag, size, word, list"},
           Case{"wrd: one", "f:1:6: wrd: the key is not known here; did you mean \"word\"?"},
           Case{"[]", "f:1:1: document: expected a mapping, got a list"},
       })
    EXPECT_EQ(read(c.text), c.message);
}

TEST(Yaml, ARequiredKeyThatIsMissingIsNamed) {
  auto document = *YamlDocument::parse("a: {b: 1}\n", "f");
  YamlMapping mapping(*document.root().find("a"));
  EXPECT_EQ(mapping.required("name"), nullptr);
  EXPECT_EQ(mapping.finish().error().message(), "f:1:4: a: the key \"name\" is missing");
}

TEST(Yaml, DuplicateKeysAreRefused) {
  EXPECT_EQ(error_of("a: 1\nb:\n  c: 1\n  c: 2\n"),
            "batond.yaml:4:3: b: the key \"c\" stands twice");
}

TEST(Yaml, AnchorsAliasesAndTagsAreRefusedSoThatNoBombCanGrow) {
  EXPECT_NE(error_of("a: &x [1,1]\nb: [*x,*x]\n").find("anchors are not taken"), std::string::npos);
  EXPECT_NE(error_of("a: !!python/object x\n").find("tags such as"), std::string::npos);
  EXPECT_NE(error_of("a: !x [1]\n").find("tags such as"), std::string::npos);
  EXPECT_NE(error_of("a: *x\n"), "no error");
}

TEST(Yaml, NestingIsLimited) {
  auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(error_of(nested(kYamlDepthMax)), "no error");
  EXPECT_NE(error_of(nested(kYamlDepthMax + 1)).find("nested deeper than 100 levels"),
            std::string::npos);
  EXPECT_NE(error_of(nested(2000)), "no error");
  std::string block;
  for (int i = 0; i < 2000; ++i) block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(error_of(block), "no error");
}

TEST(Yaml, TheNumberOfValuesAndTheSizeAreLimited) {
  std::string many = "[";
  for (std::size_t i = 0; i < kYamlNodesMax; ++i) many += "1,";
  EXPECT_NE(error_of(many + "]").find("more than 200000 values"), std::string::npos);
  EXPECT_NE(error_of(std::string(kYamlBytesMax + 1, ' ')).find("larger than"), std::string::npos);
}

TEST(Yaml, BytesThatAreNotTextAreRefusedWhereTheyStand) {
  EXPECT_EQ(error_of("a: 1\nb: \xff\n"), "batond.yaml:2:4: a byte that is not valid UTF-8");
  EXPECT_EQ(error_of(std::string_view("a: 1\nb: \0\n", 11)), "batond.yaml:2:4: a zero byte");
}

TEST(Yaml, SyntaxErrorsCarryTheirPlace) {
  EXPECT_EQ(error_of("a: [1, 2\nb: 3\n").rfind("batond.yaml:2:", 0), 0u)
      << error_of("a: [1, 2\nb: 3\n");
}

TEST(Yaml, AMappingKeyMustBeText) {
  EXPECT_NE(error_of("? [a]\n: 1\n").find("a key must be text"), std::string::npos);
  EXPECT_NE(error_of("~: 1\n").find("a key must be text"), std::string::npos);
}

TEST(Yaml, OneDocumentIsTaken) {
  EXPECT_NE(error_of("a: 1\n---\nb: 2\n").find("more than one document"), std::string::npos);
}

TEST(Yaml, WhatIsWrittenIsReadBackAsTheSameTree) {
  const char* text =
      "name: demo\nno: 1\n\"a b\": [1, {x: y, z: []}, [2, [3]], {}, ~]\nquoted: \"5\"\n"
      "block: |\n  two\n  lines: \"x\" \\\nfolded: a\n  b\nempty: \"\"\nodd: \"\\x01\\t: #\"\n";
  auto document = *YamlDocument::parse(text, "f");
  const std::string once = "tree:" + write_yaml(document.root(), 2);
  auto again = YamlDocument::parse(once, "f");
  ASSERT_TRUE(again.ok()) << again.error().message() << "\n" << once;
  const YamlNode& tree = *again->root().find("tree");
  EXPECT_EQ("tree:" + write_yaml(tree, 2), once);
  EXPECT_EQ(tree.find("block")->text, "two\nlines: \"x\" \\\n");
  EXPECT_EQ(tree.find("folded")->text, "a b");
  EXPECT_EQ(tree.find("odd")->text, "\x01\t: #");
  EXPECT_TRUE(tree.find("quoted")->is_quoted);
  EXPECT_FALSE(tree.find("no")->is_quoted);
  EXPECT_EQ(tree.find("empty")->kind, YamlNode::Kind::kScalar);
  EXPECT_EQ(tree.find("a b")->children.size(), 5u);
}

}  // namespace
}  // namespace baton::description
