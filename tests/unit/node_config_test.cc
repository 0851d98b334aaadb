#include "node/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::node {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string error_of(const std::string& text) {
  const auto config = parse_config(text, "batond.yaml");
  return config.ok() ? "valid" : config.error().message();
}

TEST(ConfigTest, NothingSaidIsTheDefault) {
  const auto config = parse_config("", "batond.yaml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->root, "/var/lib/baton");
  EXPECT_EQ(config->socket_path(), "/var/lib/baton/batond.sock");
  EXPECT_EQ(config->schedulers, 0u);
  EXPECT_EQ(config->log.level, LogLevel::kInfo);
  EXPECT_EQ(config->log.format, LogFormat::kText);
  EXPECT_EQ(config->take_over_budget, 5s);
}

TEST(ConfigTest, EveryKeyIsRead) {
  const auto config = parse_config(
      "root: /srv/node\nschedulers: 3\nlog: {level: debug, format: json, file: /tmp/log}\n"
      "admin: {socket: /run/b.sock}\ntake_over: {budget: 250ms}\n",
      "batond.yaml");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->root, "/srv/node");
  EXPECT_EQ(config->socket_path(), "/run/b.sock");
  EXPECT_EQ(config->schedulers, 3u);
  EXPECT_EQ(config->log.level, LogLevel::kDebug);
  EXPECT_EQ(config->log.format, LogFormat::kJson);
  EXPECT_EQ(config->log.file, "/tmp/log");
  EXPECT_EQ(config->take_over_budget, 250ms);
}

TEST(ConfigTest, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(error_of("take_over: {budget: 5}"), StartsWith("batond.yaml:1:21: "));
  EXPECT_THAT(error_of("take_over: {budget: 0s}"), HasSubstr("longer than nothing"));
  EXPECT_THAT(error_of("schedulers: 33"), HasSubstr("32"));
  EXPECT_THAT(error_of("schedulers: many"), HasSubstr("schedulers"));
  EXPECT_THAT(error_of("root: \"\""), HasSubstr("root must name a directory"));
  EXPECT_THAT(error_of("log: {level: loud}"), HasSubstr("trace"));
  EXPECT_THAT(error_of("rot: /srv"), HasSubstr("rot"));
  EXPECT_THAT(error_of("admin: {socket: [1]}"), HasSubstr("socket"));
  EXPECT_THAT(error_of("root: a\nroot: b"), StartsWith("batond.yaml:2:"));
}

TEST(ConfigTest, AFileOfANewerFormatIsRefusedByName) {
  EXPECT_EQ(error_of("format: 1"), "valid");
  EXPECT_THAT(error_of("colour: red\nroot: [1]\nformat: 2"),
              HasSubstr("this host reads formats up to 1, the file is of format 2"));
  EXPECT_THAT(error_of("format: 0"), HasSubstr("format"));
}

TEST(ConfigTest, AFileThatIsNotThereIsNotFound) {
  const auto config = read_config(*real_files(), "/nowhere/batond.yaml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace baton::node
