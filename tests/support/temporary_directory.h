// TemporaryDirectory: a fresh directory for one test, removed with all that is in it.
#pragma once

#include "base/files.h"

#include <stdlib.h>

#include <string>

namespace baton {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/baton-test-XXXXXX";
    BATON_CHECK(::mkdtemp(name) != nullptr, "no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() { (void)remove_tree(*real_files(), path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace baton
