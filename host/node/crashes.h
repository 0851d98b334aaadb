// Crashes: the files in which a host that died of a signal left what it was doing (base/crash.h).
//
// A start tells of those that nobody was told of yet, in its log. The last kCrashesKept are kept.
//
// Ownership: owns nothing; the files live in the root.
// Threads:   any.
// Fails:     begin: the directory cannot be made or read. A file that cannot be read is listed with
//            the reason as its trouble.
#pragma once

#include "base/files.h"
#include "base/log.h"
#include "base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace baton::node {

inline constexpr std::size_t kCrashesKept = 20;

struct Crash {
  std::string file;
  std::vector<std::pair<std::string, std::string>> facts;  // as the file has them
  std::vector<std::string> frames;
  std::string trouble;  // why there is nothing more to say, if so

  /// The value of a fact, empty if it is not known.
  std::string fact(std::string_view key) const;
};

/// What a file says.
Crash parse_crash(const std::string& file, std::string_view text);

class Crashes {
 public:
  Crashes(Files& files, const std::string& root) : files_(files), directory_(root + "/crashes") {}

  const std::string& directory() const { return directory_; }
  /// Makes the directory, tells of what is new, and removes what is too many.
  Result<void> begin(Log& log);
  /// The newest first.
  Result<std::vector<Crash>> list() const;

 private:
  Crash read(const std::string& file) const;

  Files& files_;
  const std::string directory_;
};

}  // namespace baton::node
