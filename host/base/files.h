// Files: the seam to the file system.
//
// Store, journal and bundles do all their input and output through a Files, so that a test can fail
// every call in turn and look at what a restart would find. The functions below it combine those
// calls into the few operations the host needs, each safe against a crash at any point.
//
// Invariants:
//   (1) No call follows a symbolic link in the last part of a path it opens, makes or removes.
//   (2) Descriptors are close-on-exec.
// Ownership: a ScopedFd closes its descriptor; a Files owns nothing.
// Threads:   any thread; a Files has no state.
// Fails:     kNotFound, kDenied, else kFailed; the message names the path and what the system said.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton {

/// A file descriptor that is closed when its owner goes.
class ScopedFd {
 public:
  ScopedFd() = default;
  explicit ScopedFd(int fd) : fd_(fd) {}
  ScopedFd(ScopedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ScopedFd& operator=(ScopedFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~ScopedFd() { reset(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

enum class FileType { kRegular, kDirectory, kSymlink, kOther };

struct FileFacts {
  FileType type = FileType::kOther;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;  // permission bits, setuid and the like included
  std::uint32_t links = 0;
};

class Files {
 public:
  virtual ~Files() = default;

  virtual Result<ScopedFd> open_read(const std::string& path) = 0;
  /// Fails if there is anything at the path already.
  virtual Result<ScopedFd> create(const std::string& path, std::uint32_t mode) = 0;
  /// Opens for reading and appending; makes an empty file if there is none.
  virtual Result<ScopedFd> open_append(const std::string& path, std::uint32_t mode) = 0;
  /// At most `size` bytes into `buffer`; 0 is the end of the file.
  virtual Result<std::size_t> read(int fd, char* buffer, std::size_t size) = 0;
  /// All of it, or an error: then any part of it may have been written.
  virtual Result<void> write(int fd, std::string_view bytes) = 0;
  /// Takes the file for this descriptor alone, until it is closed; kBusy if another has it.
  virtual Result<void> lock(int fd) = 0;
  virtual Result<void> truncate(int fd, std::uint64_t size) = 0;
  /// Takes disk blocks for these bytes, at or past the end too, without making the file longer, so
  /// that writing them cannot fail for want of room. Success where the file system cannot do it.
  virtual Result<void> allocate(int fd, std::uint64_t offset, std::uint64_t size) = 0;
  virtual Result<void> sync(int fd) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Replaces a file at `to`; a directory only if it is empty.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> make_directory(const std::string& path, std::uint32_t mode) = 0;
  virtual Result<void> remove_file(const std::string& path) = 0;
  virtual Result<void> remove_directory(const std::string& path) = 0;
  /// Nothing if there is nothing at the path. Does not follow a symbolic link.
  virtual Result<std::optional<FileFacts>> facts(const std::string& path) = 0;
  /// The names in a directory, sorted, without . and ..
  virtual Result<std::vector<std::string>> list_directory(const std::string& path) = 0;
};

/// The file system of this machine.
std::unique_ptr<Files> real_files();

/// The whole file; refuses one larger than `bytes_max`.
Result<std::string> read_file(Files& files, const std::string& path, std::uint64_t bytes_max);

/// Puts the content at the path, whole or not at all, and on disk before it returns.
/// Leaves a file named `<path>.tmp` behind only if the process dies on the way.
Result<void> write_file_atomically(Files& files, const std::string& path, std::string_view content,
                                   std::uint32_t mode = 0644);

/// Makes the directory and those above it that are missing. An existing directory is success.
Result<void> make_directories(Files& files, const std::string& path, std::uint32_t mode = 0755);

/// How deep remove_tree goes before it gives up.
inline constexpr int kTreeDepthMax = 64;
/// Removes a file, or a directory with all that is in it. Nothing there is success.
Result<void> remove_tree(Files& files, const std::string& path);

/// The directory part of a path, "." if it has none.
std::string directory_of(const std::string& path);

}  // namespace baton
