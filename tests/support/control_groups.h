// ControlGroups: files as those of control groups, below a folder of a test's own.
#pragma once

#include "support/temporary_directory.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace baton::test {

class ControlGroups {
 public:
  const std::string& mount() const { return mount_; }
  void write(const std::string& file, const std::string& text) {
    const auto path = std::filesystem::path(mount_) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

 private:
  TemporaryDirectory directory_;
  const std::string mount_ = directory_.path();
};

}  // namespace baton::test
