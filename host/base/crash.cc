#include "base/crash.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csetjmp>
#include <cstring>
#include <mutex>

namespace baton {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr std::uint32_t kFileMode = 0640;
// How far from the end of a thread's stack an overflow's first access may be.
constexpr std::uintptr_t kOverflowReach = 64 * 1024;

// ---- Names of images

struct Image {
  std::atomic<std::uintptr_t> base{0};  // set last, cleared first; 0: free
  CrashText name;                       // with its version
  CrashText module;
  CrashText version;
};

struct Images {
  std::mutex mutex;  // of those who change it
  std::array<Image, kNamedImagesMax> all;
};
Images images;

const Image* image_at(std::uintptr_t base) {
  for (const Image& image : images.all)
    if (image.base.load(std::memory_order_acquire) == base) return &image;
  return nullptr;
}

// ---- The reporter

struct Reporter {
  // Constant while there is a CrashReporter.
  char directory[4096] = {};
  char host_version[64] = {};
  int log = -1;
  int spare = -1;  // given up where no descriptor is left for the file
  LogFormat format = LogFormat::kText;

  std::atomic<pid_t> thread{0};  // that reports
  // Of that thread.
  CrashFacts facts;
  sigjmp_buf way_out;
  volatile sig_atomic_t is_gathering = 0;
};
Reporter reporter;

thread_local const CrashWitness* witness = nullptr;
thread_local std::uintptr_t stack_low = 0;

std::string_view name_of_signal(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    default: return "SIGABRT";
  }
}

// Writes what it is given in as few pieces as its buffer allows, and what it can of it.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  ~Output() { flush(); }
  Output& operator<<(std::string_view text) {
    for (char c : text) {
      if (size_ == sizeof buffer_) flush();
      buffer_[size_++] = c;
    }
    return *this;
  }

 private:
  void flush() {
    for (std::size_t at = 0; at < size_;) {
      const ssize_t count = ::write(fd_, buffer_ + at, size_ - at);
      if (count > 0)
        at += static_cast<std::size_t>(count);
      else if (errno != EINTR)
        break;
    }
    size_ = 0;
  }

  const int fd_;
  char buffer_[8192];
  std::size_t size_ = 0;
};

void append_padded(CrashText& text, unsigned number, unsigned digits) {
  for (unsigned least = 10, left = digits; left > 1; --left, least *= 10)
    if (number < least) text << std::uint64_t{0};
  text << std::uint64_t{number};
}

struct Moment {
  CrashText text;  // as the log's
  CrashText name;  // as a file's
};

Moment now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  const std::chrono::sys_seconds seconds{std::chrono::seconds(time.tv_sec)};
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{seconds - day};
  const unsigned parts[] = {static_cast<unsigned>(static_cast<int>(date.year())),
                            static_cast<unsigned>(date.month()),
                            static_cast<unsigned>(date.day()),
                            static_cast<unsigned>(clock.hours().count()),
                            static_cast<unsigned>(clock.minutes().count()),
                            static_cast<unsigned>(clock.seconds().count())};
  constexpr const char* kBefore[] = {"", "-", "-", "T", ":", ":"};
  Moment moment;
  for (std::size_t i = 0; i < std::size(parts); ++i) {
    moment.text << kBefore[i];
    if (i == 3) moment.name << "T";
    append_padded(moment.text, parts[i], i == 0 ? 4 : 2);
    append_padded(moment.name, parts[i], i == 0 ? 4 : 2);
  }
  moment.text << ".";
  append_padded(moment.text, static_cast<unsigned>(time.tv_nsec / 1'000'000), 3);
  moment.text << "Z";
  moment.name << "Z";
  return moment;
}

// ---- Frames

struct Walk {
  std::uintptr_t fault;  // frames of the handler come before it
  bool has_met_fault = false;
};

void add_frame(std::uintptr_t address) {
  CrashFacts& facts = reporter.facts;
  if (facts.frame_count == kCrashFramesMax) return;
  CrashText& frame = facts.frames[facts.frame_count];
  dl_find_object found{};
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) {
    frame.hex(address);
  } else {
    const std::uintptr_t base = found.dlfo_link_map->l_addr;
    const std::string_view path = found.dlfo_link_map->l_name;
    if (const Image* image = image_at(base)) {
      frame << image->name.view();
      if (facts.module.is_empty()) {
        facts.module << image->module.view();
        facts.version << image->version.view();
      }
    } else if (path.empty()) {
      frame << "host";
    } else {
      frame << path.substr(path.rfind('/') + 1);
    }
    frame << " +";
    frame.hex(address - base);
  }
  ++facts.frame_count;
}

_Unwind_Reason_Code meet_frame(_Unwind_Context* context, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  int is_before = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &is_before);
  if (address == 0) return _URC_END_OF_STACK;
  if (!walk.has_met_fault) {
    walk.has_met_fault = address == walk.fault;
    return _URC_NO_REASON;
  }
  // A return address is behind the call, which may be another function's.
  add_frame(is_before != 0 ? address : address - 1);
  return reporter.facts.frame_count == kCrashFramesMax ? _URC_END_OF_STACK : _URC_NO_REASON;
}

void gather_frames(const ucontext_t& context) {
  const auto pc = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  const auto sp = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
  add_frame(pc);
  dl_find_object found{};
  // Called through a pointer to nowhere: who called is on the stack.
  if (_dl_find_object(reinterpret_cast<void*>(pc), &found) != 0)
    add_frame(*reinterpret_cast<const std::uintptr_t*>(sp) - 1);
  Walk walk{.fault = pc};
  _Unwind_Backtrace(meet_frame, &walk);
}

// ---- The handler

template <class Part>
void attempt(Part part) {
  if (sigsetjmp(reporter.way_out, 0) == 0) {
    reporter.is_gathering = 1;
    part();
  }
  reporter.is_gathering = 0;
}

void gather(int signal, const siginfo_t& info, const ucontext_t& context) {
  CrashFacts& facts = reporter.facts;
  facts.signal << name_of_signal(signal);
  if (info.si_code > 0 && signal != SIGABRT) {
    const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    facts.address.hex(address);
    if ((signal == SIGSEGV || signal == SIGBUS) && stack_low != 0 &&
        address + kOverflowReach >= stack_low && address < stack_low + kOverflowReach)
      facts.cause << "stack overflow";
  }
  char name[32] = {};
  if (::prctl(PR_GET_NAME, name) == 0) facts.thread << name;
  attempt([&] {
    if (witness != nullptr) witness->tell(facts);
  });
  attempt([&] { gather_frames(context); });
}

struct Fact {
  std::string_view key;
  std::string_view value;
};

template <class F>
void for_each_fact(F f) {
  const CrashFacts& facts = reporter.facts;
  const Fact all[] = {{"module", facts.module.view()},     {"version", facts.version.view()},
                      {"pid", facts.process.view()},       {"signal", facts.signal.view()},
                      {"address", facts.address.view()},   {"cause", facts.cause.view()},
                      {"thread", facts.thread.view()},     {"behaviour", facts.behaviour.view()},
                      {"callback", facts.callback.view()}, {"message", facts.message.view()}};
  for (const Fact& fact : all)
    if (!fact.value.empty()) f(fact);
}

void write_file(const Moment& moment) {
  char path[sizeof reporter.directory + 128];
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    for (char c : text)
      if (size + 1 < sizeof path) path[size++] = c;
  };
  CrashText name;
  name << moment.name.view() << "-" << static_cast<std::uint64_t>(::getpid());
  append(reporter.directory);
  append("/");
  append(name.view());
  append(kNewCrashEnd);
  path[size] = 0;
  const auto open = [&] {
    return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  };
  int fd = open();
  if (fd < 0 && (errno == EMFILE || errno == ENFILE) && reporter.spare >= 0) {
    ::close(reporter.spare);
    fd = open();
  }
  if (fd < 0) return;
  {
    Output out(fd);
    CrashText format;
    format << std::uint64_t{kCrashFormat};
    out << "baton-crash: " << format.view() << "\nat: " << moment.text.view()
        << "\nhost: " << reporter.host_version << "\n";
    for_each_fact([&](const Fact& fact) {
      out << (fact.key == "pid" ? "process" : fact.key) << ": " << fact.value << "\n";
    });
    for (std::size_t i = 0; i < reporter.facts.frame_count; ++i)
      out << "frame: " << reporter.facts.frames[i].view() << "\n";
  }
  ::fsync(fd);
  ::close(fd);
}

// As a record of the log (base/log.h).
void write_log(const Moment& moment) {
  Output out(reporter.log);
  const bool is_json = reporter.format == LogFormat::kJson;
  constexpr std::string_view kText = "the host dies of a signal";
  if (is_json)
    out << "{\"time\":\"" << moment.text.view() << "\",\"level\":\"critical\",\"text\":\"" << kText
        << "\"";
  else
    out << moment.text.view() << " critical " << kText;
  const auto begin = [&](std::string_view key) {
    if (is_json)
      out << ",\"" << key << "\":\"";
    else
      out << " " << key << "=\"";
  };
  for_each_fact([&](const Fact& fact) {
    begin(fact.key);
    out << fact.value << "\"";
  });
  begin("backtrace");
  for (std::size_t i = 0; i < reporter.facts.frame_count; ++i)
    out << (i == 0 ? "" : ", ") << reporter.facts.frames[i].view();
  out << "\"" << (is_json ? "}\n" : "\n");
}

void die_of(int signal, const siginfo_t& info) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  // What an instruction brought about it brings about again; what was sent is sent again.
  if (info.si_code <= 0) ::raise(signal);
}

void on_crash(int signal, siginfo_t* info, void* context) {
  const auto self = static_cast<pid_t>(::syscall(SYS_gettid));
  pid_t nobody = 0;
  if (!reporter.thread.compare_exchange_strong(nobody, self)) {
    if (nobody == self) {
      if (reporter.is_gathering != 0) siglongjmp(reporter.way_out, 1);
      return die_of(signal, *info);
    }
    for (;;) ::pause();  // another thread reports, and ends us all
  }
  gather(signal, *info, *static_cast<const ucontext_t*>(context));
  const Moment moment = now();
  write_log(moment);
  write_file(moment);
  die_of(signal, *info);
}

}  // namespace

CrashText& CrashText::operator<<(std::string_view text) {
  for (char c : text) {
    if (size_ == sizeof text_) break;
    text_[size_++] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c;
  }
  return *this;
}

CrashText& CrashText::operator<<(std::uint64_t number) {
  char digits[20];
  std::size_t at = sizeof digits;
  do digits[--at] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  return *this << std::string_view(digits + at, sizeof digits - at);
}

CrashText& CrashText::hex(std::uint64_t number) {
  char digits[16];
  std::size_t at = sizeof digits;
  do digits[--at] = "0123456789abcdef"[number % 16];
  while ((number /= 16) != 0);
  return *this << "0x" << std::string_view(digits + at, sizeof digits - at);
}

CrashStack::CrashStack(const CrashWitness& of_thread) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = ::mmap(nullptr, kCrashStackBytes + page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  ::mprotect(memory, page, PROT_NONE);
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(memory) + page;
  stack.ss_size = kCrashStackBytes;
  ::sigaltstack(&stack, nullptr);
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
    void* low = nullptr;
    std::size_t size = 0;
    ::pthread_attr_getstack(&attributes, &low, &size);
    ::pthread_attr_destroy(&attributes);
    stack_low = reinterpret_cast<std::uintptr_t>(low);
  }
  witness = &of_thread;
}

CrashStack::~CrashStack() {
  witness = nullptr;
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, kCrashStackBytes + static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
}

void name_image(std::uintptr_t base, std::string_view name, std::string_view version) {
  std::lock_guard lock(images.mutex);
  for (Image& image : images.all) {
    const std::uintptr_t taken = image.base.load(std::memory_order_relaxed);
    if (taken != 0 && taken != base) continue;
    image.base.store(0, std::memory_order_release);
    image.name = CrashText();
    image.module = CrashText();
    image.version = CrashText();
    image.name << name << " " << version;
    image.module << name;
    image.version << version;
    image.base.store(base, std::memory_order_release);
    return;
  }
}

void forget_image(std::uintptr_t base) {
  std::lock_guard lock(images.mutex);
  for (Image& image : images.all)
    if (image.base.load(std::memory_order_relaxed) == base)
      image.base.store(0, std::memory_order_release);
}

CrashReporter::CrashReporter(const std::string& directory, int log, LogFormat format,
                             std::string_view host_version) {
  reporter.directory[directory.copy(reporter.directory, sizeof reporter.directory - 1)] = 0;
  reporter
      .host_version[host_version.copy(reporter.host_version, sizeof reporter.host_version - 1)] = 0;
  reporter.log = log;
  reporter.format = format;
  reporter.spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  // Not blocked meanwhile: a fault while facts are gathered comes back to the handler.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int signal : kSignals) ::sigaction(signal, &action, nullptr);
}

CrashReporter::~CrashReporter() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal : kSignals) ::sigaction(signal, &action, nullptr);
  if (reporter.spare >= 0) ::close(reporter.spare);
  reporter.spare = -1;
}

}  // namespace baton
