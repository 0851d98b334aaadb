#include "module/imports.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>

namespace baton::module {

namespace {

#include "import_tables.inc"  // kLists, made of the files in imports/ by the build

constexpr bool is_strictly_sorted(std::span<const std::string_view> names) {
  return std::adjacent_find(names.begin(), names.end(), std::greater_equal<>()) == names.end();
}
static_assert(std::all_of(std::begin(kLists), std::end(kLists), is_strictly_sorted));

constexpr std::string_view kSanitizerPrefixes[] = {"__asan_", "__tsan_", "__ubsan_",
                                                   "__sanitizer_"};

constexpr std::string_view kLibraries[] = {"libc.so.6",
                                           "libm.so.6",
                                           "libstdc++.so.6",
                                           "libgcc_s.so.1",
                                           "ld-linux-x86-64.so.2",
                                           "ld-linux-aarch64.so.1"};
constexpr std::string_view kSanitizerLibraries[] = {"libasan.so.", "libtsan.so.", "libubsan.so."};

// Why a family is refused decides what to do instead. The first text that the name contains wins; a
// text that begins with ^ must begin the name.
struct Family {
  std::string_view text;
  std::string_view cure;
};
constexpr std::string_view kThreads =
    "a module has no threads of its own: spawn a process, or wait with co_await";
constexpr std::string_view kSignals = "signals belong to the host: trap exits or monitor instead";
constexpr std::string_view kProcesses =
    "a module starts no operating system process: spawn a process of the host";
constexpr std::string_view kLibrariesCure =
    "link what is needed statically into the module (or make it a module of its own)";
constexpr std::string_view kExit =
    "stop the process with an exit reason (BATON_STOP); the host ends itself";
constexpr std::string_view kBlocking =
    "ask the host for a timer (send_after, await_until) instead of sleeping";
constexpr std::string_view kFiles =
    "log through host->log, serve through the host's listeners; files and streams are not a "
    "module's";
constexpr std::string_view kSockets =
    "use the host's listeners and connections (get_extension(\"baton.tcp/1\"))";
constexpr std::string_view kEnvironment = "read the release's configuration through host->config";
constexpr std::string_view kMemory = "use malloc or operator new; the host owns the address space";
constexpr Family kFamilies[] = {
    {"thread_atexit", "hold per-process data in the state, not in a thread_local"},
    {"tls_get_addr", "hold per-process data in the state, not in a thread_local"},
    {"emutls", "hold per-process data in the state, not in a thread_local"},
    {"^pthread_", kThreads},
    {"^thrd_", kThreads},
    {"^mtx_", kThreads},
    {"^cnd_", kThreads},
    {"^tss_", kThreads},
    {"^sem_", kThreads},
    {"thread", kThreads},
    {"condition_variable", kThreads},
    {"__future_base", kThreads},
    {"once_call", kThreads},
    {"^call_once", kThreads},
    {"^clone", kThreads},
    {"^sig", kSignals},
    {"^raise", kSignals},
    {"^kill", kSignals},
    {"^timer_", kBlocking},
    {"^setitimer", kSignals},
    {"^alarm", kSignals},
    {"fork", kProcesses},
    {"^exec", kProcesses},
    {"^posix_spawn", kProcesses},
    {"^system", kProcesses},
    {"^popen", kProcesses},
    {"^wait", kProcesses},
    {"^dl", kLibrariesCure},
    {"^exit", kExit},
    {"^_exit", kExit},
    {"^_Exit", kExit},
    {"quick_exit", kExit},
    {"atexit", "free what you made in the module's fini"},
    {"^on_exit", "free what you made in the module's fini"},
    {"set_terminate", "catch in the callback; the handlers are the host's"},
    {"sleep", kBlocking},
    {"^socket", kSockets},
    {"^connect", kSockets},
    {"^bind", kSockets},
    {"^listen", kSockets},
    {"^accept", kSockets},
    {"^send", kSockets},
    {"^recv", kSockets},
    {"^getaddrinfo", kSockets},
    {"^epoll", kSockets},
    {"^poll", kSockets},
    {"^select", kSockets},
    {"env", kEnvironment},
    {"^mmap", kMemory},
    {"^mprotect", kMemory},
    {"^munmap", kMemory},
    {"^sbrk", kMemory},
    {"^brk", kMemory},
    {"^mallopt", kMemory},
    {"locale", "format with std::to_chars or snprintf; the locale is the process's"},
    {"^fopen", kFiles},
    {"^open", kFiles},
    {"^read", kFiles},
    {"^write", kFiles},
    {"^close", kFiles},
    {"printf", kFiles},
    {"^put", kFiles},
    {"^fput", kFiles},
    {"^fwrite", kFiles},
    {"^std", kFiles},
    {"^_ZSt4c", kFiles},
    {"^_ZSt3cin", kFiles},
    {"filebuf", kFiles},
    {"fstream", kFiles},
    {"filesystem", kFiles},
};

template <class Range>
bool begins_with_any(std::string_view name, const Range& prefixes) {
  return std::any_of(std::begin(prefixes), std::end(prefixes),
                     [&](std::string_view p) { return name.starts_with(p); });
}

}  // namespace

bool is_allowed_import(std::string_view name) {
  return std::any_of(std::begin(kLists), std::end(kLists), [&](auto table) {
    return std::binary_search(table.begin(), table.end(), name);
  });
}

bool is_sanitizer_import(std::string_view name) {
  return begins_with_any(name, kSanitizerPrefixes);
}

std::string_view import_cure(std::string_view name) {
  for (const Family& family : kFamilies) {
    const bool begins = family.text.starts_with('^');
    if (begins ? name.starts_with(family.text.substr(1)) : name.find(family.text) != name.npos)
      return family.cure;
  }
  return "link it statically into the module, or do without it: a module imports what computes, "
         "allocates, formats, converts, sorts, throws or takes the time";
}

namespace {

// What a newcomer reaches for, by a part of the names that it leaves in a file: variables, imports
// and thread-locals alike.
constexpr std::string_view kStreamsCure =
    "log with log_info() and its like; to write into text include <sstream> or <ostream>; for a "
    "library whose headers include it, baton_add_module(... STATEFUL_GLOBALS)";
constexpr std::string_view kFileStreamsCure =
    "files are not a module's: take configuration from the release (config<T>()), keep data in the "
    "state";
constexpr struct {
  std::string_view part;
  Culprit culprit;
} kCulprits[] = {
    {"__ioinit", {"<iostream>", kStreamsCure}},
    {"_ZSt4cout", {"std::cout", kStreamsCure}},
    {"_ZSt4cerr", {"std::cerr", kStreamsCure}},
    {"_ZSt4clog", {"std::clog", kStreamsCure}},
    {"_ZSt3cin", {"std::cin", "a module serves clients by the host's listeners"}},
    {"basic_ifstream", {"std::ifstream", kFileStreamsCure}},
    {"basic_ofstream", {"std::ofstream", kFileStreamsCure}},
    {"basic_fstream", {"std::fstream", kFileStreamsCure}},
    {"regex_traits",
     {"std::regex",
      "use regcomp() and regexec() of <regex.h>; std::regex keeps tables in variables and asks the "
      "process's locale"}},
    {"__once_call", {"std::async, std::promise or std::call_once", kThreads}},
    {"__future_base", {"std::async or std::promise", kThreads}},
    {"__cxa_atexit",
     {"std::atexit or the destructor of a static object",
      "free what you made in the module's fini"}},
    {"NSt6thread", {"std::thread", kThreads}},
    {"NSt7jthread", {"std::jthread", kThreads}},
    {"5boost4json",
     {"Boost.JSON",
      "build the module with baton_add_module(... STATEFUL_GLOBALS): each version then has its own "
      "copy of that library's variables, and no take-over moves them"}},
};

}  // namespace

std::optional<Culprit> culprit(std::string_view symbol) {
  for (const auto& known : kCulprits)
    if (symbol.find(known.part) != symbol.npos) return known.culprit;
  return std::nullopt;
}

bool is_allowed_library(std::string_view name) {
  return std::find(std::begin(kLibraries), std::end(kLibraries), name) != std::end(kLibraries);
}

bool is_sanitizer_library(std::string_view name) {
  return begins_with_any(name, kSanitizerLibraries);
}

}  // namespace baton::module
