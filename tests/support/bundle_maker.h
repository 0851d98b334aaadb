// BundleMaker: release descriptions, keys and bundles for tests, good ones and ones bent at a
// chosen place.
//
// The modules are those of tests/modules/gate: counter 1.0.0 and counter 2.0.0.
#pragma once

#include "base/files.h"
#include "bundle/bundle.h"
#include "support/faulty_files.h"
#include "support/temporary_directory.h"

#include <sys/stat.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace baton {

struct Part {
  std::string name;
  std::string content;
};

class BundleMaker {
 public:
  BundleMaker() {
    install("good.so", "1.0.0");
    install("good_2.so", "2.0.0");
  }

  /// A description of release demo VERSION with the counter in the same version.
  std::string description(const std::string& version, int sequence,
                          const std::string& more = "") const {
    return "name: demo\nversion: " + version + "\nsequence: " + std::to_string(sequence) +
           "\nmodules:\n  - {name: counter, version: " + version +
           "}\napplications:\n  - name: counting\n    supervisor:\n      children:\n"
           "        - {id: first, module: counter, behaviour: counter}\n" +
           more;
  }

  /// Packs the description, signed with key(); returns the bundle's path.
  std::string pack(const std::string& version, int sequence, const std::string& more = "") {
    return pack_text(description(version, sequence, more),
                     "demo-" + version + "-" + std::to_string(sequence));
  }
  std::string pack_text(const std::string& text, const std::string& name) {
    bundle::PackOptions options = pack_options(text, name);
    Result<bundle::Packed> packed = bundle::pack(*files, options);
    BATON_CHECK(packed.ok(), packed.error().message());
    return options.output;
  }
  bundle::PackOptions pack_options(const std::string& text, const std::string& name) {
    bundle::PackOptions options;
    options.description_file = root / (name + ".yaml");
    options.modules_directory = root / "modules";
    options.output = root / (name + ".baton");
    options.key = &key;
    BATON_CHECK(write_file_atomically(*files, options.description_file, text).ok());
    return options;
  }

  bundle::TrustedKeys trusted() const { return {{key.public_key()}, {}}; }

  std::string read(const std::string& path) const {
    Result<std::string> content = read_file(*files, path, 1ull << 30);
    BATON_CHECK(content.ok(), content.error().message());
    return *content;
  }
  /// Writes bytes beside the others and returns the path.
  std::string write(const std::string& name, std::string_view bytes) const {
    BATON_CHECK(write_file_atomically(*files, root / name, bytes).ok());
    return root / name;
  }

  /// The parts of an outer or inner tar as it is.
  static std::vector<Part> tar_parts(std::string_view tar) {
    std::vector<Part> parts;
    std::size_t at = 0;
    bundle::TarReader reader([&](char* buffer, std::size_t size) -> Result<std::size_t> {
      const std::size_t n = tar.substr(at).copy(buffer, size);
      at += n;
      return n;
    });
    for (;;) {
      auto entry = reader.next();
      BATON_CHECK(entry.ok(), entry.error().message());
      if (!*entry) return parts;
      std::string content((*entry)->size, '\0');
      for (std::size_t have = 0; have < content.size();)
        have += *reader.read(content.data() + have, content.size() - have);
      parts.push_back({(*entry)->path, content});
    }
  }
  static std::string tar(const std::vector<Part>& parts) {
    std::string out;
    for (const Part& part : parts) {
      out += bundle::tar_header({part.name, part.content.size(), 0444}) + part.content;
      out.append(bundle::tar_padding(part.content.size()), '\0');
    }
    return out.append(bundle::kTarEndBytes, '\0');
  }
  /// Changes a header and makes its checksum right again.
  static void bend_header(std::string& tar, std::size_t header,
                          const std::function<void(char*)>& bend) {
    bend(tar.data() + header);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
      sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(tar[header + i]);
    std::snprintf(tar.data() + header + 148, 8, "%06o", sum);
    tar[header + 155] = ' ';
  }

  static std::string compress(const std::string& bytes) {
    std::string out;
    bundle::Compressor compressor(bytes.size(), [&](std::string_view more) -> Result<void> {
      out += more;
      return {};
    });
    BATON_CHECK(compressor.write(bytes).ok() && compressor.finish().ok());
    return out;
  }
  static std::string decompress(const std::string& frame, std::size_t size) {
    std::size_t at = 0;
    bundle::Decompressor decompressor(size,
                                      [&](char* buffer, std::size_t n) -> Result<std::size_t> {
                                        n = std::string_view(frame).substr(at).copy(buffer, n);
                                        at += n;
                                        return n;
                                      });
    std::string out;
    char buffer[4096];
    for (;;) {
      Result<std::size_t> n = decompressor.read(buffer, sizeof buffer);
      BATON_CHECK(n.ok(), n.error().message());
      if (*n == 0) return out;
      out.append(buffer, *n);
    }
  }

  std::unique_ptr<Files> disk = real_files();
  std::unique_ptr<Files> files = std::make_unique<FaultyFiles>(*disk);
  TemporaryDirectory root;
  bundle::SecretKey key = bundle::SecretKey::generate();

 private:
  void install(const std::string& file, const std::string& version) {
    const std::string directory = root / ("modules/counter/" + version);
    BATON_CHECK(make_directories(*files, directory).ok());
    BATON_CHECK(write_file_atomically(*files, directory + "/counter.so",
                                      read(std::string(BATON_GATE_MODULES) + "/" + file))
                    .ok());
  }
};

}  // namespace baton
