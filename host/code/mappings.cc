#include "code/mappings.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace baton::code {

namespace {

constexpr int kHexadecimal = 16;
constexpr int kDecimal = 10;

// Takes the text up to the separator off the line.
std::optional<std::string_view> word(std::string_view& line, char separator) {
  const std::size_t end = line.find(separator);
  if (end == line.npos) return std::nullopt;
  const std::string_view taken = line.substr(0, end);
  line.remove_prefix(end + 1);
  return taken;
}

template <class Number>
bool read_number(std::string_view text, int base, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// 7f0c4e9a1000-7f0c4e9a2000 r--p 00000000 fe:01 262222      /usr/lib/libm.so.6
std::optional<Mapping> read_mapping(std::string_view line) {
  Mapping mapping;
  const auto from = word(line, '-'), to = word(line, ' '), permissions = word(line, ' '),
             offset = word(line, ' '), device = word(line, ' ');
  const std::string_view inode = line.substr(0, line.find(' '));
  if (!from || !to || !permissions || !offset || !device ||
      !read_number(*from, kHexadecimal, mapping.from) ||
      !read_number(*to, kHexadecimal, mapping.to) ||
      !read_number(inode, kDecimal, mapping.file.inode))
    return std::nullopt;
  mapping.file.device = *device;
  return mapping;
}

}  // namespace

Result<std::vector<Mapping>> parse_mappings(std::string_view maps) {
  std::vector<Mapping> all;
  while (!maps.empty()) {
    const std::string_view line = maps.substr(0, maps.find('\n'));
    maps.remove_prefix(std::min(line.size() + 1, maps.size()));
    const auto mapping = read_mapping(line);
    if (!mapping)
      return Error(Code::kFailed, "/proc/self/maps has a line that is not understood: \"" +
                                      std::string(line) + "\"");
    all.push_back(*mapping);
  }
  return all;
}

Result<std::vector<Mapping>> mappings() {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  if (text.empty())
    return Error(Code::kFailed,
                 "/proc/self/maps cannot be read; cure: mount /proc where the host runs");
  return parse_mappings(text);
}

Result<MappedFile> mapped_file(int fd) {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (page == MAP_FAILED)
    return Error(Code::kFailed, std::string("the file cannot be mapped: ") + std::strerror(errno));
  const auto all = mappings();
  ::munmap(page, bytes);
  if (!all.ok()) return all.error();
  const auto at = reinterpret_cast<std::uintptr_t>(page);
  for (const Mapping& mapping : *all)
    if (mapping.from <= at && at < mapping.to) return mapping.file;
  return Error(Code::kFailed, "/proc/self/maps does not show a page that was mapped");
}

bool are_of_file(const std::vector<Mapping>& all, std::uintptr_t from, std::uintptr_t to,
                 const MappedFile& file) {
  bool is_there = false;
  for (const Mapping& mapping : all) {
    if (mapping.to <= from || mapping.from >= to || mapping.file.inode == 0) continue;
    if (mapping.file != file) return false;
    is_there = true;
  }
  return is_there;
}

Result<std::size_t> mappings_of(const MappedFile& file) {
  BATON_ASSIGN(const std::vector<Mapping> all, mappings());
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Mapping& m) { return m.file == file; }));
}

}  // namespace baton::code
