#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace baton {

namespace {

Error system_error(const std::string& doing, const std::string& path, int error = errno) {
  Code code = error == ENOENT                       ? Code::kNotFound
              : (error == EACCES || error == EPERM) ? Code::kDenied
                                                    : Code::kFailed;
  char text[128] = {};
  const char* reason = strerror_r(error, text, sizeof text);
  return Error(code, "cannot " + doing + " " + path + ": " + reason);
}

Error not_regular(const std::string& path) {
  return Error(Code::kRefused, path + " is not a regular file");
}

std::string name_of(int fd) { return "descriptor " + std::to_string(fd); }

/// Repeats a call that a signal interrupted.
template <class F>
auto retry(F call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

class RealFiles final : public Files {
 public:
  Result<ScopedFd> open_read(const std::string& path) override {
    // Looked at first, as opening a device can do things; and once more when it is ours, as it may
    // have been replaced. Opening a pipe for reading would wait for somebody who writes.
    struct stat s;
    if (::lstat(path.c_str(), &s) != 0) return system_error("open", path);
    if (!S_ISREG(s.st_mode) && !S_ISLNK(s.st_mode)) return not_regular(path);
    BATON_ASSIGN(ScopedFd fd, open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, "open"));
    if (::fstat(fd.get(), &s) != 0) return system_error("look at", path);
    if (!S_ISREG(s.st_mode)) return not_regular(path);
    return fd;
  }

  Result<ScopedFd> create(const std::string& path, std::uint32_t mode) override {
    BATON_ASSIGN(ScopedFd fd, open(path, O_WRONLY | O_CREAT | O_EXCL, mode, "create"));
    // The mode asked for, whatever the umask: a bundle's files must come out the same everywhere.
    if (::fchmod(fd.get(), mode) != 0) return system_error("set the mode of", path);
    return fd;
  }

  Result<ScopedFd> open_append(const std::string& path, std::uint32_t mode) override {
    BATON_ASSIGN(ScopedFd fd, open(path, O_RDWR | O_CREAT | O_APPEND | O_NOCTTY, mode, "open"));
    struct stat s;
    if (::fstat(fd.get(), &s) != 0) return system_error("look at", path);
    // Reading what is in a pipe would wait for somebody who writes.
    if (!S_ISREG(s.st_mode)) return not_regular(path);
    return fd;
  }

  Result<std::size_t> read(int fd, char* buffer, std::size_t size) override {
    ssize_t n = retry([&] { return ::read(fd, buffer, size); });
    if (n < 0) return system_error("read", name_of(fd));
    return static_cast<std::size_t>(n);
  }

  Result<void> write(int fd, std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t n = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
      if (n < 0) return system_error("write", name_of(fd));
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<void> lock(int fd) override {
    if (retry([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0) return {};
    if (errno == EWOULDBLOCK) return Error(Code::kBusy, "in use by another process");
    return system_error("lock", name_of(fd));
  }

  Result<void> truncate(int fd, std::uint64_t size) override {
    if (retry([&] { return ::ftruncate(fd, static_cast<off_t>(size)); }) != 0)
      return system_error("truncate", name_of(fd));
    return {};
  }

  Result<void> allocate(int fd, std::uint64_t offset, std::uint64_t size) override {
    const auto done = retry([&] {
      return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                         static_cast<off_t>(size));
    });
    if (done != 0 && errno != EOPNOTSUPP) return system_error("allocate", name_of(fd));
    return {};
  }

  Result<void> sync(int fd) override {
    if (retry([&] { return ::fsync(fd); }) != 0) return system_error("sync", name_of(fd));
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    BATON_ASSIGN(ScopedFd fd, open(path, O_RDONLY | O_DIRECTORY, 0, "open"));
    if (retry([&] { return ::fsync(fd.get()); }) != 0) return system_error("sync", path);
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename " + from + " to", to);
    return {};
  }

  Result<void> make_directory(const std::string& path, std::uint32_t mode) override {
    if (::mkdir(path.c_str(), mode) != 0) return system_error("make the directory", path);
    return {};
  }

  Result<void> remove_file(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("remove", path);
    return {};
  }

  Result<void> remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return system_error("remove the directory", path);
    return {};
  }

  Result<std::optional<FileFacts>> facts(const std::string& path) override {
    struct stat s;
    if (::lstat(path.c_str(), &s) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileFacts>();
      return system_error("look at", path);
    }
    FileFacts facts;
    facts.type = S_ISREG(s.st_mode)   ? FileType::kRegular
                 : S_ISDIR(s.st_mode) ? FileType::kDirectory
                 : S_ISLNK(s.st_mode) ? FileType::kSymlink
                                      : FileType::kOther;
    facts.size = static_cast<std::uint64_t>(s.st_size);
    facts.mode = s.st_mode & 07777;
    facts.links = static_cast<std::uint32_t>(s.st_nlink);
    return std::optional<FileFacts>(facts);
  }

  Result<std::vector<std::string>> list_directory(const std::string& path) override {
    BATON_ASSIGN(ScopedFd fd, open(path, O_RDONLY | O_DIRECTORY, 0, "open"));
    DIR* directory = ::fdopendir(fd.get());
    if (directory == nullptr) return system_error("list", path);
    fd.release();  // closedir closes it
    std::vector<std::string> names;
    int error = 0;
    for (;;) {
      errno = 0;
      dirent* entry = ::readdir(directory);
      if (entry == nullptr) {
        error = errno;
        break;
      }
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(directory);
    if (error != 0) return system_error("list", path, error);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  Result<ScopedFd> open(const std::string& path, int flags, std::uint32_t mode, const char* doing) {
    int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode); });
    if (fd < 0) return system_error(doing, path);
    return ScopedFd(fd);
  }
};

Result<void> remove_below(Files& files, const std::string& path, int depth) {
  if (depth > kTreeDepthMax) return Error(Code::kFailed, path + " is nested too deep to remove");
  BATON_ASSIGN(std::optional<FileFacts> facts, files.facts(path));
  if (!facts) return {};
  if (facts->type != FileType::kDirectory) return files.remove_file(path);
  BATON_ASSIGN(std::vector<std::string> names, files.list_directory(path));
  for (const std::string& name : names)
    BATON_TRY(remove_below(files, path + "/" + name, depth + 1));
  return files.remove_directory(path);
}

}  // namespace

void ScopedFd::reset(int fd) {
  // Not retried after EINTR: Linux has closed the descriptor by then, and the number may be
  // another's.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

std::unique_ptr<Files> real_files() { return std::make_unique<RealFiles>(); }

Result<std::string> read_file(Files& files, const std::string& path, std::uint64_t bytes_max) {
  BATON_ASSIGN(ScopedFd fd, files.open_read(path));
  std::string content;
  char buffer[16384];
  for (;;) {
    Result<std::size_t> n = files.read(fd.get(), buffer, sizeof buffer);
    if (!n.ok()) return std::move(n).error().within(path);
    if (*n == 0) return content;
    if (content.size() + *n > bytes_max)
      return Error(Code::kFailed, path + " is larger than the " + std::to_string(bytes_max) +
                                      " bytes that are taken here");
    content.append(buffer, *n);
  }
}

Result<void> write_file_atomically(Files& files, const std::string& path, std::string_view content,
                                   std::uint32_t mode) {
  const std::string temporary = path + ".tmp";
  BATON_TRY(remove_tree(files, temporary));
  auto write = [&]() -> Result<void> {
    BATON_ASSIGN(ScopedFd fd, files.create(temporary, mode));
    BATON_TRY(files.write(fd.get(), content));
    BATON_TRY(files.sync(fd.get()));
    return files.rename(temporary, path);
  };
  Result<void> written = write();
  if (!written.ok()) {
    // The first error is the one to report; what cannot be removed here is removed by the next try.
    (void)files.remove_file(temporary);
    return std::move(written).error().within("write " + path);
  }
  return files.sync_directory(directory_of(path));
}

Result<void> make_directories(Files& files, const std::string& path, std::uint32_t mode) {
  std::vector<std::string> missing;
  for (std::string above = path;; above = directory_of(above)) {
    BATON_ASSIGN(std::optional<FileFacts> facts, files.facts(above));
    // A symbolic link to a directory is taken: operators move whole trees to another disk that way.
    if (facts && facts->type != FileType::kDirectory && facts->type != FileType::kSymlink)
      return Error(Code::kFailed, above + " is in the way: it is not a directory");
    if (facts) break;
    missing.push_back(above);
    if (above == directory_of(above)) break;
  }
  for (auto next = missing.rbegin(); next != missing.rend(); ++next) {
    Result<void> made = files.make_directory(*next, mode);
    if (made.ok()) continue;
    // Someone else may have made it in between.
    BATON_ASSIGN(std::optional<FileFacts> facts, files.facts(*next));
    if (!facts || facts->type != FileType::kDirectory) return made;
  }
  return {};
}

Result<void> remove_tree(Files& files, const std::string& path) {
  return remove_below(files, path, 0);
}

std::string directory_of(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  std::size_t slash = trimmed.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : trimmed.substr(0, slash);
}

}  // namespace baton
