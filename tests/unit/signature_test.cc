#include "bundle/signature.h"

#include "base/files.h"
#include "bundle/keys.h"
#include "support/temporary_directory.h"

#include <gtest/gtest.h>

namespace baton::bundle {
namespace {

TrustedKeys trust(const SecretKey& key) { return {{key.public_key()}, {}}; }

std::string refusal(std::string_view message, const std::string& signature,
                    const TrustedKeys& keys) {
  Result<Signer> signer = verify(message, signature, keys);
  if (signer.ok()) return "accepted";
  EXPECT_EQ(signer.error().code(), Code::kRefused);
  return signer.error().message();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(Signature, WhatATrustedKeySignedIsAccepted) {
  const SecretKey key = SecretKey::generate();
  const Signer signer = *verify("message", key.sign("message", "release 1"), trust(key));
  EXPECT_EQ(signer.key, key.public_key().id);
  EXPECT_EQ(signer.trusted_comment, "release 1");
}

TEST(Signature, SigningTwiceGivesTheSameBytes) {
  const SecretKey key = SecretKey::generate();
  EXPECT_EQ(key.sign("message", "c"), key.sign("message", "c"));
}

TEST(Signature, EachWayToBeWrongHasItsOwnMessage) {
  const SecretKey key = SecretKey::generate(), other = SecretKey::generate();
  const std::string good = key.sign("message", "comment");
  auto lines = lines_of(good);

  EXPECT_NE(refusal("message", good, trust(other)).find("is not trusted here"), std::string::npos);
  EXPECT_NE(refusal("message", good, {{key.public_key()}, {key.public_key()}}).find("was revoked"),
            std::string::npos);
  EXPECT_NE(refusal("Message", good, trust(key)).find("not over this manifest"), std::string::npos);
  auto altered = lines;
  altered[2] = "trusted comment: other";
  EXPECT_NE(refusal("message", join(altered), trust(key))
                .find("trusted comment of the signature was altered"),
            std::string::npos);
  auto legacy = lines;
  legacy[1].replace(0, 2, "RW");  // base64 of "Ed" and the first bits of the key id
  EXPECT_NE(refusal("message", join(legacy), trust(key)).find("legacy"), std::string::npos)
      << refusal("message", join(legacy), trust(key));
}

TEST(Signature, ARevokedKeyStaysRevokedUnderAnotherId) {
  const SecretKey key = SecretKey::generate();
  PublicKey same = key.public_key();
  same.id.bytes[0] ^= 1;
  EXPECT_NE(refusal("message", key.sign("message", "c"), {{key.public_key()}, {same}})
                .find("was revoked"),
            std::string::npos);
}

TEST(Signature, EveryTruncationIsRefused) {
  const SecretKey key = SecretKey::generate();
  const std::string good = key.sign("message", "comment");
  // The last line's end is no part of it.
  for (std::size_t size = 0; size + 1 < good.size(); ++size)
    ASSERT_NE(refusal("message", good.substr(0, size), trust(key)), "accepted") << size;
  EXPECT_NE(refusal("message", good + "more\n", trust(key)), "accepted");
}

TEST(Signature, EveryFlippedBitIsRefusedOutsideTheUntrustedComment) {
  const SecretKey key = SecretKey::generate();
  const std::string good = key.sign("message", "comment");
  for (std::size_t at = good.find('\n') + 1; at + 1 < good.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      ASSERT_NE(refusal("message", bad, trust(key)), "accepted") << at << " " << bit;
    }
}

TEST(Signature, KeyFilesAreReadBackAndDamagedOnesRefused) {
  const SecretKey key = SecretKey::generate();
  EXPECT_EQ(*PublicKey::parse(key.public_key().text(), "k.pub"), key.public_key());
  EXPECT_EQ(SecretKey::parse(key.text(), "k.key")->sign("m", ""), key.sign("m", ""));

  std::string damaged = key.text();
  damaged[damaged.size() - 60] = damaged[damaged.size() - 60] == 'A' ? 'B' : 'A';
  EXPECT_NE(
      SecretKey::parse(damaged, "k.key").error().message().find("k.key: the secret key is damaged"),
      std::string::npos);
  EXPECT_NE(PublicKey::parse("hello", "k.pub").error().message().find("k.pub: not a public key"),
            std::string::npos);
  EXPECT_FALSE(PublicKey::parse(key.text(), "k.pub").ok());
}

// The stock tool and we must agree both ways; the program is a package of Debian.
class Minisign : public testing::Test {
 protected:
  void SetUp() override {
    if (::system("command -v minisign >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "minisign is not installed";
  }
  int run(const std::string& arguments) const {
    return ::system(
        ("cd " + root_.path() + " && minisign " + arguments + " >out 2>&1 </dev/null").c_str());
  }
  std::string read(const std::string& name) { return *read_file(*files_, root_ / name, 100'000); }
  void write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(write_file_atomically(*files_, root_ / name, content).ok());
  }
  std::unique_ptr<Files> files_ = real_files();
  TemporaryDirectory root_;
};

TEST_F(Minisign, VerifiesWhatWeSign) {
  const SecretKey key = SecretKey::generate();
  write("m", "some message");
  write("m.minisig", key.sign("some message", "a comment"));
  write("k.pub", key.public_key().text());
  EXPECT_EQ(run("-Vm m -p k.pub"), 0) << read("out");
  write("m", "other message");
  EXPECT_NE(run("-Vm m -p k.pub"), 0);
}

TEST_F(Minisign, SignsWithOurSecretKeyAndWeVerifyIt) {
  const SecretKey key = SecretKey::generate();
  write("m", "some message");
  write("k.key", key.text());
  ASSERT_EQ(run("-Sm m -s k.key -t 'their comment'"), 0) << read("out");
  Result<Signer> signer = verify("some message", read("m.minisig"), trust(key));
  ASSERT_TRUE(signer.ok()) << signer.error().message();
  EXPECT_EQ(signer->trusted_comment, "their comment");
}

TEST_F(Minisign, MakesKeysThatWeReadAndItsLegacyKindIsRefused) {
  write("m", "some message");
  ASSERT_EQ(run("-GW -p k.pub -s k.key"), 0) << read("out");
  Result<SecretKey> key = SecretKey::parse(read("k.key"), "k.key");
  ASSERT_TRUE(key.ok()) << key.error().message();
  EXPECT_EQ(*PublicKey::parse(read("k.pub"), "k.pub"), key->public_key());
  ASSERT_EQ(run("-Slm m -s k.key"), 0) << read("out");
  EXPECT_NE(refusal("some message", read("m.minisig"), trust(*key)).find("legacy"),
            std::string::npos);
}

class KeysTest : public testing::Test {
 protected:
  std::unique_ptr<Files> files_ = real_files();
  TemporaryDirectory root_;
  KeyDirectory keys_{*files_, root_ / "keys"};
  SecretKey key_ = SecretKey::generate();
};

TEST_F(KeysTest, ATrustedKeyIsLoadedAndARevokedOneWinsOverIt) {
  EXPECT_TRUE(keys_.load()->trusted.empty());
  ASSERT_TRUE(keys_.trust(key_.public_key().text(), "k.pub").ok());
  ASSERT_TRUE(keys_.trust(key_.public_key().text(), "k.pub").ok());
  EXPECT_EQ(keys_.load()->trusted.size(), 1u);
  ASSERT_TRUE(keys_.revoke(key_.public_key().id.text()).ok());
  ASSERT_TRUE(keys_.revoke(key_.public_key().id.text()).ok());
  EXPECT_NE(refusal("m", key_.sign("m", ""), *keys_.load()).find("was revoked"), std::string::npos);
  EXPECT_EQ(keys_.trust(key_.public_key().text(), "k.pub").error().code(), Code::kRefused);
}

TEST_F(KeysTest, RevokingAnUnknownKeyIsNotFound) {
  EXPECT_EQ(keys_.revoke("0123456789ABCDEF").error().code(), Code::kNotFound);
}

TEST_F(KeysTest, AFileThatIsNoKeyIsAnErrorThatNamesIt) {
  ASSERT_TRUE(make_directories(*files_, root_ / "keys").ok());
  ASSERT_TRUE(write_file_atomically(*files_, root_ / "keys/x.pub", "junk").ok());
  EXPECT_NE(keys_.load().error().message().find("keys/x.pub"), std::string::npos);
}

TEST_F(KeysTest, TwoKeysWithOneIdAreRefused) {
  ASSERT_TRUE(keys_.trust(key_.public_key().text(), "k.pub").ok());
  PublicKey other = SecretKey::generate().public_key();
  other.id = key_.public_key().id;
  EXPECT_EQ(keys_.trust(other.text(), "other.pub").error().code(), Code::kRefused);
}

}  // namespace
}  // namespace baton::bundle
