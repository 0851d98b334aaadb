// Crash: what is written when a signal is about to end the process: in whose code, at what, where.
//
// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are taken on the thread that crashed, on a stack of
// its own where it has one (an overflow leaves no other). Facts are gathered, written to a file and
// to the log's descriptor as one record, and the signal then has its default action. Nothing is
// allocated and no lock is taken. Memory that is read for it may be damaged: a fault there costs
// the fact that was being gathered, and no more.
//
// The file, one fact a line, those that are not known left out:
//   baton-crash: 1            the format
//   at: 2026-11-24T21:30:00.123Z
//   host: 0.6.0               its version
//   signal: SIGSEGV
//   address: 0x8              what could not be reached or run
//   cause: stack overflow     where that is known
//   thread: baton-sched-1
//   module, version, process, behaviour, callback, message: whose code ran, and for what
//   frame: wreck 1.0.0 +0x11f3      the innermost first: a library and where in it, as addr2line
//   frame: host +0x8a20             takes it
//
// Texts are cut, and what is no printable character of ASCII shows as "?".
//
// Ownership: signal actions belong to the whole process, and so does what the handler knows.
// Threads:   any; a CrashStack belongs to its thread.
// Fails:     never: what cannot be written is not.
#pragma once

#include "base/log.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

inline constexpr int kCrashFormat = 1;
inline constexpr std::size_t kCrashFramesMax = 48;
inline constexpr std::size_t kCrashStackBytes = 64 * 1024;
/// Images whose frames show with their names; the frames of others show with a path.
inline constexpr std::size_t kNamedImagesMax = 1024;

/// A text of a crash. Async-signal-safe.
class CrashText {
 public:
  CrashText& operator<<(std::string_view text);
  CrashText& operator<<(std::uint64_t number);
  /// With 0x before it.
  CrashText& hex(std::uint64_t number);
  std::string_view view() const { return {text_, size_}; }
  bool is_empty() const { return size_ == 0; }

 private:
  char text_[128] = {};
  std::size_t size_ = 0;
};

struct CrashFacts {
  CrashText signal, address, cause, thread;
  CrashText module, version, process, behaviour, callback, message;
  std::array<CrashText, kCrashFramesMax> frames;
  std::size_t frame_count = 0;
};

/// Knows what a thread is doing.
class CrashWitness {
 public:
  /// Async-signal-safe. May meet damaged memory; so the surest facts come first.
  virtual void tell(CrashFacts& facts) const = 0;

 protected:
  ~CrashWitness() = default;
};

/// A stack for the handler, for as long as the thread has this; and what the thread is doing.
class CrashStack {
 public:
  explicit CrashStack(const CrashWitness& witness);
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  void* memory_ = nullptr;  // with a guard page below; null: there was none to be had
};

/// The name and version of a library, by where it was loaded: what its frames show as.
void name_image(std::uintptr_t base, std::string_view name, std::string_view version);
void forget_image(std::uintptr_t base);

/// How a file's name ends that the handler wrote, and nobody was told of yet.
inline constexpr std::string_view kNewCrashEnd = ".new";

/// While there is one, a crash is reported: into a file in the directory, and to the descriptor of
/// a log of this format. One at a time.
class CrashReporter {
 public:
  CrashReporter(const std::string& directory, int log, LogFormat format,
                std::string_view host_version);
  /// From now on signals have their default action again.
  ~CrashReporter();
  CrashReporter(const CrashReporter&) = delete;
  CrashReporter& operator=(const CrashReporter&) = delete;
};

}  // namespace baton
