// FaultyFiles: a Files that fails the n-th call, for proving that any call may fail at any moment.
//
// Two ways to fail: once; or from that call on, as for a process that was
// killed there (what it does after the fault has no effect). A failing write leaves the first half
// of its bytes behind, and a failing truncate, rename or sync leaves things as they were.
//
// Apart from that the disk may be full: then writes fail, but for bytes that were allocated before.
//
// Ownership: the Files below it must outlive it.
// Threads:   one.
#pragma once

#include "base/files.h"

#include <algorithm>
#include <map>

namespace baton {

class FaultyFiles final : public Files {
 public:
  enum class Fault { kOnce, kFromThere };

  explicit FaultyFiles(Files& files) : files_(files) {}

  /// The n-th call from now on fails; the first is 0.
  void fail_call(int n, Fault fault) {
    calls_ = 0;
    failing_ = n;
    fault_ = fault;
  }
  void heal() { failing_ = -1; }
  /// Whether there is no room on the disk, from now on.
  void set_full(bool is_full) { is_full_ = is_full; }
  /// Calls since fail_call.
  int calls() const { return calls_; }
  bool has_failed() const { return failing_ >= 0 && calls_ > failing_; }

  Result<ScopedFd> open_read(const std::string& path) override {
    if (fails()) return fault(path);
    return files_.open_read(path);
  }
  Result<ScopedFd> create(const std::string& path, std::uint32_t mode) override {
    if (fails()) return fault(path);
    return files_.create(path, mode);
  }
  Result<ScopedFd> open_append(const std::string& path, std::uint32_t mode) override {
    if (fails()) return fault(path);
    return files_.open_append(path, mode);
  }
  Result<std::size_t> read(int fd, char* buffer, std::size_t size) override {
    if (fails()) return fault("read");
    return files_.read(fd, buffer, size);
  }
  Result<void> write(int fd, std::string_view bytes) override {
    if (fails()) {
      // Only the failing call itself leaves a torn write: a dead process writes nothing.
      if (calls_ == failing_ + 1) BATON_TRY(files_.write(fd, bytes.substr(0, bytes.size() / 2)));
      return fault("write");
    }
    std::uint64_t& room = allocated_[fd];
    if (is_full_ && room < bytes.size()) return fault("no space left on device");
    room -= std::min<std::uint64_t>(room, bytes.size());
    return files_.write(fd, bytes);
  }
  Result<void> lock(int fd) override {
    if (fails()) return fault("lock");
    return files_.lock(fd);
  }
  Result<void> truncate(int fd, std::uint64_t size) override {
    if (fails()) return fault("truncate");
    allocated_.erase(fd);
    return files_.truncate(fd, size);
  }
  Result<void> allocate(int fd, std::uint64_t offset, std::uint64_t size) override {
    if (fails()) return fault("allocate");
    std::uint64_t& room = allocated_[fd];
    if (is_full_ && room < size) return fault("no space left on device");
    room = std::max(room, size);
    return files_.allocate(fd, offset, size);
  }
  Result<void> sync(int fd) override {
    (void)fd;
    if (fails()) return fault("sync");
    return {};
  }
  Result<void> sync_directory(const std::string& path) override {
    if (fails()) return fault(path);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (fails()) return fault(from);
    return files_.rename(from, to);
  }
  Result<void> make_directory(const std::string& path, std::uint32_t mode) override {
    if (fails()) return fault(path);
    return files_.make_directory(path, mode);
  }
  Result<void> remove_file(const std::string& path) override {
    if (fails()) return fault(path);
    return files_.remove_file(path);
  }
  Result<void> remove_directory(const std::string& path) override {
    if (fails()) return fault(path);
    return files_.remove_directory(path);
  }
  Result<std::optional<FileFacts>> facts(const std::string& path) override {
    if (fails()) return fault(path);
    return files_.facts(path);
  }
  Result<std::vector<std::string>> list_directory(const std::string& path) override {
    if (fails()) return fault(path);
    return files_.list_directory(path);
  }

 private:
  bool fails() {
    const int call = calls_++;
    if (failing_ < 0) return false;
    return fault_ == Fault::kOnce ? call == failing_ : call >= failing_;
  }
  static Error fault(const std::string& what) {
    return Error(Code::kFailed, "injected fault: " + what);
  }

  Files& files_;
  Fault fault_ = Fault::kOnce;
  int failing_ = -1;
  int calls_ = 0;
  bool is_full_ = false;
  std::map<int, std::uint64_t> allocated_;  // bytes past the end, by descriptor
};

}  // namespace baton
