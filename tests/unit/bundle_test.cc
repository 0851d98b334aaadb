#include "bundle/bundle.h"

#include "support/bundle_maker.h"

#include <gtest/gtest.h>

namespace baton::bundle {
namespace {

class BundleTest : public testing::Test {
 protected:
  /// What a host would say: open with our key, then unpack into staging. "accepted" if it would
  /// take it.
  std::string verdict(const std::string& path) {
    Result<Bundle> bundle = Bundle::open(*maker_.files, path, maker_.trusted());
    if (!bundle.ok()) return message(bundle.error());
    const std::string staging = maker_.root / "staging";
    EXPECT_TRUE(remove_tree(*maker_.files, staging).ok());
    EXPECT_TRUE(make_directories(*maker_.files, staging).ok());
    Result<void> extracted = bundle->extract(staging);
    return extracted.ok() ? "accepted" : message(extracted.error());
  }
  static std::string message(const Error& error) {
    EXPECT_EQ(error.code(), Code::kRefused) << error.message();
    return error.message();
  }
  void expect_refused(const std::string& path, const std::string& part) {
    const std::string said = verdict(path);
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_NE(said.find(path), std::string::npos) << said;
    // Nothing appears beside the staging directory.
    EXPECT_FALSE(maker_.files->facts(maker_.root / "escaped")->has_value());
  }

  /// The bundle with its parts changed, packed again; the signature stays what it was.
  std::string rebuild(const std::function<void(std::vector<Part>&)>& change) {
    auto parts = BundleMaker::tar_parts(maker_.read(good_));
    change(parts);
    return maker_.write("bent.baton", BundleMaker::tar(parts));
  }
  /// The bundle with another manifest, signed anew.
  std::string with_manifest(const std::function<void(std::string&)>& change) {
    return rebuild([&](std::vector<Part>& parts) {
      change(parts[0].content);
      parts[1].content = maker_.key.sign(parts[0].content, "c");
    });
  }
  /// The bundle with another inner tar in a good frame.
  std::string with_tar(const std::function<void(std::string&)>& change) {
    return rebuild([&](std::vector<Part>& parts) {
      std::string tar = inner_tar();
      change(tar);
      parts[2].content = BundleMaker::compress(tar);
    });
  }
  /// One that was packed and signed without our pack, with this file for its module.
  std::string with_module(const std::string& content) {
    return rebuild([&](std::vector<Part>& parts) {
      std::string& manifest = parts[0].content;
      auto bundle = *Bundle::open_unverified(*maker_.files, good_);
      const ManifestFile& file = bundle.manifest().files[0];
      replace(manifest, "size: " + std::to_string(file.size),
              "size: " + std::to_string(content.size()));
      replace(manifest, file.sha256.hex(), sha256(content).hex());
      parts[2].content = BundleMaker::compress(BundleMaker::tar({{file.path, content}}));
      replace(manifest, bundle.manifest().payload.hex(), sha256(parts[2].content).hex());
      parts[1].content = maker_.key.sign(manifest, "c");
    });
  }
  std::string inner_tar() {
    auto parts = BundleMaker::tar_parts(maker_.read(good_));
    auto bundle = Bundle::open_unverified(*maker_.files, good_);
    const std::uint64_t size = tar_entry_bytes(bundle->manifest().files[0].size) + kTarEndBytes;
    return BundleMaker::decompress(parts[2].content, size);
  }
  std::string with_header(const std::function<void(char*)>& bend) {
    return with_tar([&](std::string& tar) { BundleMaker::bend_header(tar, 0, bend); });
  }
  /// A frame's header by hand: a window of so many bits, and the declared size in 8 bytes.
  static std::string frame_header(int window_bits, std::uint64_t size) {
    std::string frame("\x28\xb5\x2f\xfd\xc0", 5);
    frame += static_cast<char>((window_bits - 10) << 3);
    for (int i = 0; i < 8; ++i) frame += static_cast<char>(size >> (8 * i));
    return frame;
  }
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }

  BundleMaker maker_;
  std::string good_ = maker_.pack("1.0.0", 1);
};

TEST_F(BundleTest, WhatWasPackedIsTakenAndComesOutAsItWentIn) {
  ASSERT_EQ(verdict(good_), "accepted");
  const std::string file = maker_.root / "staging/modules/counter/1.0.0/counter.so";
  EXPECT_EQ(maker_.read(file), maker_.read(std::string(BATON_GATE_MODULES) + "/good.so"));
  EXPECT_EQ((*maker_.files->facts(file))->mode, 0444u);
  Bundle bundle = *Bundle::open(*maker_.files, good_, maker_.trusted());
  EXPECT_EQ(bundle.manifest().release.version, "1.0.0");
  EXPECT_EQ(bundle.manifest().release.applications[0].supervisor.children[0].behaviour, "counter");
  EXPECT_EQ(bundle.manifest().modules[0].abi_major, BATON_ABI_MAJOR);
  EXPECT_NE(bundle.manifest().modules[0].note.find("call increment {} -> i64\n"),
            std::string::npos);
  EXPECT_EQ(maker_.read(maker_.root / "staging/manifest.yaml"), bundle.manifest_text());
  EXPECT_TRUE(bundle.check_payload().ok());
}

TEST_F(BundleTest, PackingTwiceGivesTheSameBytes) {
  const std::string first = maker_.read(good_);
  EXPECT_EQ(maker_.read(maker_.pack("1.0.0", 1)), first);
}

TEST_F(BundleTest, StockToolsReadIt) {
  if (::system("command -v tar zstd minisign >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "no stock tools here";
  maker_.write("k.pub", maker_.key.public_key().text());
  const std::string command = "cd " + maker_.root.path() + " && tar xf " + good_ +
                              " && minisign -Vqm manifest.yaml -x manifest.minisig -p k.pub"
                              " && zstd -dqc payload.tar.zst | tar tf - >list";
  ASSERT_EQ(::system(command.c_str()), 0);
  EXPECT_EQ(maker_.read(maker_.root / "list"), "modules/counter/1.0.0/counter.so\n");
}

TEST_F(BundleTest, EveryTruncationIsRefused) {
  const std::string whole = maker_.read(good_);
  for (std::size_t size = 0; size < whole.size(); size += 97)
    ASSERT_NE(verdict(maker_.write("cut.baton", whole.substr(0, size))), "accepted") << size;
  EXPECT_NE(verdict(maker_.write("cut.baton", whole.substr(0, whole.size() - 1))), "accepted");
}

TEST_F(BundleTest, AFlippedBitAnywhereIsRefusedOutsideTheUntrustedComment) {
  const std::string whole = maker_.read(good_);
  const std::size_t comment = whole.find("untrusted comment");
  for (std::size_t at = 0; at < whole.size(); at += 29) {
    if (at >= comment && at < whole.find('\n', comment)) continue;
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    ASSERT_NE(verdict(maker_.write("flipped.baton", bad)), "accepted") << at;
  }
}

TEST_F(BundleTest, SignaturesAtFaultAreRefused) {
  expect_refused(rebuild([](auto& parts) { parts.erase(parts.begin() + 1); }),
                 "the signature is missing");
  expect_refused(rebuild([](auto& parts) { parts[1].content = "\n"; }), "truncated or damaged");
  expect_refused(rebuild([](auto& parts) { parts[0].content += "# more\n"; }),
                 "not over this manifest");
  expect_refused(rebuild([](auto& parts) {
                   parts[1].content = SecretKey::generate().sign(parts[0].content, "");
                 }),
                 "is not trusted here");
}

TEST_F(BundleTest, TheSignatureIsCheckedBeforeTheManifestIsRead) {
  expect_refused(rebuild([](auto& parts) { parts[0].content = "a: &a [*a"; }),
                 "not over this manifest");
}

TEST_F(BundleTest, TheOuterArchiveHasItsThreePartsInOrder) {
  expect_refused(rebuild([](auto& parts) { std::swap(parts[0], parts[1]); }),
                 "does not begin with manifest.yaml");
  expect_refused(rebuild([](auto& parts) { parts.pop_back(); }),
                 "expected payload.tar.zst next, got the end");
  expect_refused(rebuild([](auto& parts) { parts[2].name = "other"; }),
                 "expected payload.tar.zst next, got other");
  expect_refused(rebuild([](auto& parts) {
                   parts.push_back({"more", "x"});
                 }),
                 "more has no place in a bundle");
  expect_refused(maker_.write("trailing.baton", maker_.read(good_) + "x"),
                 "data after the end mark");
  expect_refused(maker_.write("empty.baton", ""), "truncated");
  expect_refused(
      rebuild([](auto& parts) { parts[1].content = std::string(kSignatureBytesMax + 1, 'x'); }),
      "manifest.minisig: expected 1 to");
}

TEST_F(BundleTest, FilesMissingExtraDuplicatedOrOfAnotherSizeAreRefused) {
  auto change_parts = [&](const std::function<void(std::vector<Part>&)>& change,
                          const std::string& part) {
    const std::string bent = with_tar([&](std::string& tar) {
      auto parts = BundleMaker::tar_parts(tar);
      change(parts);
      tar = BundleMaker::tar(parts);
    });
    expect_refused(bent, part);
  };
  change_parts([](auto& parts) { parts.clear(); },
               "modules/counter/1.0.0/counter.so: is missing from the payload");
  change_parts([](auto& parts) { parts.push_back(parts[0]); }, "stands twice in the payload");
  change_parts(
      [](auto& parts) {
        parts.push_back({"modules/more", "x"});
      },
      "modules/more: is in the payload, but not in the manifest");
  change_parts([](auto& parts) { parts[0].content += std::string(512, '\0'); },
               "the manifest says");
  change_parts([](auto& parts) { parts[0].content.pop_back(); }, "the manifest says");
  change_parts([](auto& parts) { parts[0].name = "modules/counter/1.0.0/Counter.so"; },
               "differs only in case");
  change_parts([](auto& parts) { parts[0].name = "modules/counter/1.0.0/another.so"; },
               "is in the payload, but not in the manifest");
  change_parts([](auto& parts) { parts[0].content[100] ^= 1; },
               "its SHA-256 is not the manifest's");
}

TEST_F(BundleTest, PathsThatAreNotPlainAreRefused) {
  struct Case {
    std::string path;
    const char* message;
  };
  for (const Case& c :
       {Case{"../escaped", "escapes the bundle"}, Case{"a/../../escaped", "escapes the bundle"},
        Case{"/tmp/escaped", "is absolute"}, Case{"", "is empty"},
        Case{"a//b", "has an empty part"}, Case{"a/", "has an empty part"},
        Case{"./a", "a part that is a dot"}, Case{"a b", "a character that is not taken"},
        Case{"a\\b", "a character that is not taken"},
        Case{"a\nb", "a character that is not taken"}, Case{"caf\xc3\xa9", "a character"}}) {
    expect_refused(with_header([&](char* header) {
                     std::fill(header, header + 100, '\0');
                     std::fill(header + 345, header + 500, '\0');
                     c.path.copy(header, 100);
                   }),
                   c.message);
    EXPECT_NE(check_path(c.path).error().message().find(c.message), std::string::npos) << c.path;
  }
  EXPECT_NE(check_path(std::string_view("a\0b", 3)).error().message().find("zero byte"),
            std::string::npos);
  EXPECT_NE(check_path(std::string(kPathBytesMax + 1, 'a')).error().message().find("too long"),
            std::string::npos);
  EXPECT_TRUE(check_path(std::string(kPathBytesMax, 'a')).ok());
  // A longer one than a plain header's name, in both of its fields.
  expect_refused(with_header([](char* header) {
                   std::fill(header, header + 100, 'a');
                   std::fill(header + 345, header + 500, 'b');
                 }),
                 "is too long");
}

TEST_F(BundleTest, AnythingButRegularFilesIsRefused) {
  for (auto [type, name] :
       {std::pair('1', "a hard link"), std::pair('2', "a symbolic link"),
        std::pair('3', "a device"), std::pair('4', "a device"), std::pair('5', "a directory"),
        std::pair('6', "a FIFO"), std::pair('x', "an extended header"),
        std::pair('L', "an extended header"), std::pair('7', "an entry of an unknown type"),
        std::pair('\0', "an entry of an unknown type")})
    expect_refused(with_header([&, kind = type](char* header) { header[156] = kind; }), name);
}

TEST_F(BundleTest, ModesOtherThanReadOnlyAreRefused) {
  auto mode = [](const char* digits) {
    return [digits](char* header) { std::copy(digits, digits + 7, header + 100); };
  };
  expect_refused(with_header(mode("0004755")), "setuid, setgid or sticky");
  expect_refused(with_header(mode("0002755")), "setuid, setgid or sticky");
  expect_refused(with_header(mode("0000666")), "its mode is not the manifest's");
  expect_refused(with_header([](char* header) { header[105] = '9'; }),
                 "a mode or size that is no number");
}

TEST_F(BundleTest, AHeaderWrittenAnyOtherWayIsRefused) {
  auto owner = [](char* header) { header[114] = '1'; };
  expect_refused(with_header(owner), "a header that baton pack does not write");
  expect_refused(with_header([](char* header) { header[265] = 'r'; }),
                 "a header that baton pack does not write");
  expect_refused(with_header([](char* header) { header[511] = 'x'; }),
                 "a header that baton pack does not write");
  expect_refused(with_header([](char* header) { header[257] = 'U'; }),
                 "a header that baton pack does not write");
  expect_refused(with_tar([](std::string& tar) { tar[0] ^= 1; }),
                 "a header whose checksum is wrong");
  expect_refused(with_tar([](std::string& tar) { tar[tar.size() - 100] = 'x'; }),
                 "after the end mark");
}

TEST_F(BundleTest, APayloadCompressedAnotherWayIsRefusedThoughItHoldsTheSameFiles) {
  expect_refused(rebuild([](std::vector<Part>& parts) {
                   // A frame with another header: bit 3 of its descriptor is unused and ignored by
                   // the decoder.
                   parts[2].content[4] ^= 0x10;
                 }),
                 "payload.tar.zst: its SHA-256 is not the manifest's");
}

TEST_F(BundleTest, FramesThatLieAreRefused) {
  auto with_payload = [&](const std::function<std::string(const std::string& frame)>& change) {
    return rebuild([&](std::vector<Part>& parts) { parts[2].content = change(parts[2].content); });
  };
  const std::string tar = inner_tar();
  expect_refused(with_payload([](auto&) { return std::string(); }), "not a Zstandard frame");
  expect_refused(
      with_payload([](auto&) { return std::string("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12); }),
      "not a Zstandard frame");
  expect_refused(with_payload([](auto& frame) { return frame + "x"; }), "data after the frame");
  expect_refused(with_payload([](auto& frame) { return frame + frame; }), "data after the frame");
  // An empty frame declares 0 bytes, and holds none.
  expect_refused(with_payload([](auto& frame) { return BundleMaker::compress("") + frame; }),
                 "data after the frame");
  expect_refused(with_payload([](auto& frame) { return frame.substr(0, frame.size() - 5); }),
                 "truncated");
  // A bomb: 300 MiB of zeros in a few KiB, and one that says how large it is.
  expect_refused(
      with_payload([](auto&) { return BundleMaker::compress(std::string(300 << 20, '\0')); }),
      "data after the end mark");
  expect_refused(with_payload([](auto&) { return frame_header(17, kPayloadBytesMax + 1); }),
                 "allowed are");
  expect_refused(with_payload([&](auto&) {
                   // The content of a good frame under another declared size.
                   std::string frame = frame_header(17, tar.size() + 512);
                   frame += std::string("\x01\0\0", 3);
                   return frame;
                 }),
                 "payload.tar.zst");
  // One block of 128,000 equal bytes, and then one of none, in a frame that declares the right
  // size.
  const auto one_block = [&](std::uint32_t header, const std::string& content) {
    std::string frame = frame_header(17, tar.size());
    for (int i = 0; i < 3; ++i) frame += static_cast<char>(header >> (8 * i));
    return with_payload([bytes = frame + content](auto&) { return bytes; });
  };
  expect_refused(one_block(1 | 1 << 1 | 128'000 << 3, "x"), "payload.tar.zst");
  expect_refused(one_block(1, ""), "payload.tar.zst");
}

TEST_F(BundleTest, AnOversizedWindowIsRefusedBeforeMemoryIsTaken) {
  const std::string frame = frame_header(27, inner_tar().size()) + std::string("\x01\0\0", 3);
  expect_refused(rebuild([&](auto& parts) { parts[2].content = frame; }),
                 "a window larger than 8 MiB");
}

TEST_F(BundleTest, ManifestsAtFaultAreRefusedThoughTheirSignatureIsGood) {
  auto bend = [&](const std::string& from, const std::string& to) {
    return with_manifest([=](std::string& manifest) { replace(manifest, from, to); });
  };
  expect_refused(bend("format: 1", "format: 2"), "this host reads format 1");
  expect_refused(bend("format: 1", "format: 1\nformat: 1"), "stands twice");
  expect_refused(bend("format: 1", "format: 1\ncolour: red"), "the key is not known here");
  expect_refused(bend("sequence: 1", "sequence: 9223372036854775808"),
                 "expected an integer from 1");
  expect_refused(bend("sequence: 1", "sequence: 0"), "expected an integer from 1");
  expect_refused(bend("mode: \"0444\"", "mode: \"4755\""), "expected the mode");
  expect_refused(bend("  - path: \"modules/counter/1.0.0/counter.so\"", "  - path: \"../escaped\""),
                 "escapes the bundle");
  expect_refused(bend("    size: ", "    size: 99999"), "expected an integer from 0");
  expect_refused(bend("    sha256: \"", "    sha256: \"F"), "64 lower-case hexadecimal digits");
  expect_refused(bend("    version: \"1.0.0\"", "    version: \"2.0.0\""),
                 "expected the release's module");
  expect_refused(bend("    abi: \"1.2\"", "    abi: \"9.0\""),
                 "its note is not the one in the manifest");
  expect_refused(bend("call increment", "call decrement"),
                 "its note is not the one in the manifest");
  expect_refused(bend("build_id: \"", "build_id: \"00"), "build");
  expect_refused(bend("files:\n", "files: []\nold_files:\n"), "not known here");
}

TEST_F(BundleTest, FileListsThatAreTwiceTheSameOrUnsortedAreRefused) {
  const std::string zeros(64, '0');
  const std::string head =
      "format: 1\nrelease: {name: demo, version: 1.0.0, sequence: 1, modules: []}\nmodules: []\n"
      "payload_sha256: \"" +
      zeros + "\"\nfiles:\n";
  auto files = [&](std::initializer_list<std::string> paths) {
    std::string text = head;
    for (const std::string& path : paths)
      text += "  - {path: \"" + path + "\", size: 1, mode: \"0444\", sha256: \"" + zeros + "\"}\n";
    return text;
  };
  auto said = [&](const std::string& text) { return parse_manifest(text, "m").error().message(); };
  EXPECT_NE(said(files({"a", "a"})).find("the file stands twice"), std::string::npos);
  EXPECT_NE(said(files({"A", "a"})).find("differs only in case"), std::string::npos);
  EXPECT_NE(said(files({"b", "a"})).find("not sorted"), std::string::npos);
  EXPECT_NE(said(files({"a"})).find("expected one module and one file for each"),
            std::string::npos);
  std::string many = head;
  for (std::size_t i = 0; i <= kFilesMax; ++i) many += "  - {}\n";
  EXPECT_NE(said(many).find("at most 1000 items"), std::string::npos);
}

TEST_F(BundleTest, AMillionEntriesAreRefusedAtTheFirstThatIsNotInTheManifest) {
  constexpr std::uint64_t kEntries = 1'000'000;
  std::string frame;
  Compressor compressor(kEntries * kTarBlockBytes + kTarEndBytes,
                        [&](std::string_view more) -> Result<void> {
                          frame += more;
                          return {};
                        });
  std::string many;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    many += tar_header({"f/" + std::to_string(i), 0});
    if (i % 10'000 != 9'999) continue;
    ASSERT_TRUE(compressor.write(many).ok());
    many.clear();
  }
  ASSERT_TRUE(compressor.write(std::string(kTarEndBytes, '\0')).ok());
  ASSERT_TRUE(compressor.finish().ok());

  expect_refused(rebuild([&](auto& parts) { parts[2].content = frame; }),
                 "f/0: is in the payload, but not in the manifest");
}

TEST_F(BundleTest, AMillionFilesInAManifestAreRefused) {
  expect_refused(with_manifest([](std::string& text) {
                   text += "# " + std::string(kManifestBytesMax, 'x') + "\n";
                 }),
                 "manifest.yaml: larger than");
  expect_refused(with_manifest([](std::string& text) {
                   const std::size_t at = text.find("\nfiles:\n");
                   ASSERT_NE(at, std::string::npos);
                   std::string files;
                   for (std::size_t i = 0; i <= kFilesMax; ++i)
                     files += "  - {path: f/" + std::to_string(i) +
                              ", size: 1, mode: \"0444\", sha256: " + std::string(64, '0') + "}\n";
                   text.insert(at + 8, files);
                 }),
                 "expected at most " + std::to_string(kFilesMax) + " items");
}

TEST_F(BundleTest, AModuleOfAnotherArchitectureIsRefusedAtPackAndAtUnpack) {
  constexpr std::size_t kMachineAt = 18;  // of an ELF header; 183 is AArch64
  std::string other = maker_.read(std::string(BATON_GATE_MODULES) + "/good.so");
  other[kMachineAt] = static_cast<char>(183);
  ASSERT_TRUE(
      write_file_atomically(*maker_.files, maker_.root / "modules/counter/2.0.0/counter.so", other)
          .ok());
  const auto packed =
      pack(*maker_.files, maker_.pack_options(maker_.description("2.0.0", 2), "bad"));
  ASSERT_FALSE(packed.ok());
  EXPECT_NE(packed.error().message().find("machine 183 is not this host's"), std::string::npos)
      << packed.error().message();
  expect_refused(with_module(other), "machine 183 is not this host's");
}

TEST_F(BundleTest, AModuleThatTheGateRefusesIsRefusedAtPackAndAtUnpack) {
  const std::string bad = maker_.read(std::string(BATON_GATE_MODULES) + "/thread_local.so");
  ASSERT_TRUE(
      write_file_atomically(*maker_.files, maker_.root / "modules/counter/2.0.0/counter.so", bad)
          .ok());
  auto options = maker_.pack_options(maker_.description("2.0.0", 2), "bad");
  EXPECT_EQ(pack(*maker_.files, options).error().code(), Code::kRefused);
  EXPECT_FALSE(maker_.files->facts(options.output)->has_value());
  expect_refused(with_module(bad), "refused by rule");
}

TEST_F(BundleTest, WhatIsTooOldExpiredOrForAnotherHostIsRefused) {
  maker_.pack("1.0.0", 5, "channel: beta\nhost: {min: 0.2.0, max: 0.9.9}\n");
  auto bundle = *Bundle::open(*maker_.files, maker_.root / "demo-1.0.0-5.baton", maker_.trusted());
  auto said = [&](const Acceptance& acceptance) {
    Result<void> accepted = check_acceptable(bundle, acceptance);
    return accepted.ok() ? "accepted" : message(accepted.error());
  };
  Acceptance good;
  good.host_version = "0.2.0";
  good.product = "demo";
  good.channels = {"stable", "beta"};
  good.sequence = 5;
  good.digest = bundle.digest();
  EXPECT_EQ(said(good), "accepted");
  Acceptance bad = good;
  bad.sequence = 6;
  EXPECT_NE(said(bad).find("its sequence 5 is below 6"), std::string::npos);
  bad = good;
  bad.digest = Digest{};
  EXPECT_NE(said(bad).find("was used before by another content"), std::string::npos);
  bad = good;
  bad.product = "other";
  EXPECT_NE(said(bad).find("this host takes releases of other"), std::string::npos);
  bad = good;
  bad.channels = {"stable"};
  EXPECT_NE(said(bad).find("of the channel beta"), std::string::npos);
  bad = good;
  bad.host_version = "0.1.10";
  EXPECT_NE(said(bad).find("needs a host of version 0.2.0 or later"), std::string::npos);
  bad.host_version = "0.10.0";
  EXPECT_NE(said(bad).find("needs a host of version 0.9.9 or earlier"), std::string::npos);
}

TEST_F(BundleTest, AnExpiredBundleIsRefusedFromThatMomentOn) {
  auto options = maker_.pack_options(maker_.description("1.0.0", 1), "expiring");
  options.expires = *parse_time("2026-11-22T12:00:00Z");
  ASSERT_TRUE(pack(*maker_.files, options).ok());
  auto bundle = *Bundle::open(*maker_.files, options.output, maker_.trusted());
  Acceptance acceptance;
  acceptance.now = *options.expires - std::chrono::milliseconds(1);
  EXPECT_TRUE(check_acceptable(bundle, acceptance).ok());
  acceptance.now = *options.expires;
  EXPECT_NE(check_acceptable(bundle, acceptance)
                .error()
                .message()
                .find("expired at 2026-11-22T12:00:00.000Z"),
            std::string::npos);
}

TEST_F(BundleTest, AnUnsignedBundleIsSignedLaterAndThenTheSame) {
  auto options = maker_.pack_options(maker_.description("1.0.0", 1), "demo-1.0.0-1");
  options.key = nullptr;
  ASSERT_TRUE(pack(*maker_.files, options).ok());
  EXPECT_NE(verdict(options.output).find("the signature is missing"), std::string::npos);
  ASSERT_TRUE(sign(*maker_.files, options.output, maker_.key).ok());
  EXPECT_EQ(maker_.read(options.output), maker_.read(maker_.pack("1.0.0", 1)));
}

TEST_F(BundleTest, PackingNamesWhatIsMissingOrDoesNotFit) {
  auto said = [&](const std::string& text) {
    Result<Packed> packed = pack(*maker_.files, maker_.pack_options(text, "bad"));
    return packed.ok() ? "packed" : packed.error().message();
  };
  std::string text = maker_.description("3.0.0", 1);
  EXPECT_NE(said(text).find("counter 3.0.0 is not built: there is no"), std::string::npos)
      << said(text);
  text = maker_.description("1.0.0", 1);
  replace(text, "behaviour: counter", "behaviour: countre");
  EXPECT_NE(said(text).find("the child \"first\" asks for the behaviour \"countre\""),
            std::string::npos)
      << said(text);
  const std::string other = maker_.read(std::string(BATON_GATE_MODULES) + "/good.so");
  ASSERT_TRUE(
      write_file_atomically(*maker_.files, maker_.root / "modules/counter/2.0.0/counter.so", other)
          .ok());
  EXPECT_NE(said(maker_.description("2.0.0", 1))
                .find("expected the module counter 2.0.0, the file's note says counter 1.0.0"),
            std::string::npos);
}

}  // namespace
}  // namespace baton::bundle
