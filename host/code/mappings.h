// Mappings: the files that are mapped into this process, by device and inode.
//
// Two files may have one path, one after the other, and one file several paths; what is mapped is
// told by what the kernel calls the file in /proc/self/maps. On some file systems (overlayfs,
// btrfs) that is not what stat says, so a file is asked for its name there by mapping it.
//
// Threads: any thread; what is told may be past when it is read.
// Fails:   kFailed for a file that cannot be mapped, and without /proc.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::code {

/// A file as /proc/self/maps names it.
struct MappedFile {
  std::string device;  // "fe:01"
  std::uint64_t inode = 0;

  bool operator==(const MappedFile&) const = default;
};

struct Mapping {
  std::uintptr_t from = 0, to = 0;
  MappedFile file;  // inode 0: memory without a file
};

/// The lines of /proc/self/maps, or of a text like it.
Result<std::vector<Mapping>> mappings();
Result<std::vector<Mapping>> parse_mappings(std::string_view maps);

/// What the kernel calls the file of this descriptor, which is readable and not empty.
Result<MappedFile> mapped_file(int fd);

/// Whether what is mapped from `from` to `to` is of that file, but for memory without a file behind
/// it, and some of it is.
bool are_of_file(const std::vector<Mapping>& all, std::uintptr_t from, std::uintptr_t to,
                 const MappedFile& file);

/// How many mappings of the file there are.
Result<std::size_t> mappings_of(const MappedFile& file);

}  // namespace baton::code
