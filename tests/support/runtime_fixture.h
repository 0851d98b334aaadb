// RuntimeFixture: a real runtime with two schedulers and small native behaviours to watch it with.
//
//   Probe      a process that runs lambdas for the test and keeps all its mail for it, as text
//   child      a gen_server of the module "test"; its args are [Reporter, Id | What], where What is
//              made of:
//                {fail, Reason}   init stops with this reason
//                {fail_if, Flag}  init tells {failing, Id} and stops with `broken` while this flag
//                                 of the test is set
//                ignore           init stops with normal
//                trap             it passes on exit signals that it traps
//                plain            it does not trap exits
//              It tells Reporter {started, Id} and, when it ends, {ended, Id, Reason}: it traps
//              exits to do so, and ends of those that would have ended it. The cast
//              {stop, Reason} ends it with that reason, {unlink, Pid} has it unlink that process
//              and tell {unlinked, Id}, {config, "key"} has it tell {config, Id, Value}, and
//              {listen, <<"Name">>} has it take that listener and tell {listening, Id, Result};
//              any call is answered with {ok, Id}; other mail it passes on as {got, Id, Mail}.
//   captive    a probe whose lambdas are module code to the runtime: they may take as long as they
//              like, and are to use the host table and nothing else
//   stubborn   a coroutine process that traps exits and pays no heed to any mail; the same args and
//              {started, Id}
//
// Nothing here sleeps: what is waited for has a deadline (kDeadline), and missing it fails the
// test.
//
// Threads: the test's thread; Probe::run's lambdas run on a scheduler while the test waits.
#pragma once

#include "runtime/native.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <baton/net.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace baton::test {

using runtime::Context;
using runtime::Message;
using std::chrono::milliseconds;

inline constexpr std::chrono::seconds kDeadline{20};
inline constexpr std::size_t kFlags = 16;

/// What a probe was sent.
struct Mail {
  std::string text;  // the term; of signals {'EXIT',Reason}, {'DOWN',Reason}, {timeout,T},
                     // {reply,T}, started
  baton_term from = BATON_NO_TERM;
  baton_term ref = BATON_NO_TERM;
};

class Inbox {
 public:
  explicit Inbox(const term::AtomTable& atoms) : atoms_(atoms) {}

  void put(const Message& message) {
    const std::string root = term::print(message.root, atoms_);
    Mail mail{.text = root, .from = message.from};
    const auto has_ref = [&] { mail.ref = message.word[0]; };
    switch (message.kind) {
      case BATON_EXIT: mail.text = "{'EXIT'," + root + "}"; break;
      case BATON_DOWN:
        mail.text = "{'DOWN'," + root + "}";
        has_ref();
        break;
      case BATON_TIMEOUT:
        mail.text = "{timeout," + root + "}";
        if (message.words > 0) has_ref();
        break;
      case BATON_REPLY:
        mail.text = "{reply," + root + "}";
        has_ref();
        break;
      case runtime::kStartedSignal: mail.text = "started"; break;
      default: break;
    }
    std::lock_guard lock(mutex_);
    mail_.push_back(std::move(mail));
    arrived_.notify_all();
  }

  /// The oldest mail.
  Mail next() {
    return take([](const Mail&) { return true; }, "any mail");
  }
  /// The oldest mail with this text; what came before it stays.
  Mail await(const std::string& text) {
    return take([&](const Mail& mail) { return mail.text == text; }, text);
  }
  Mail await_from(baton_term from, const std::string& text) {
    return take([&](const Mail& mail) { return mail.from == from && mail.text == text; }, text);
  }
  /// How many have come and were not taken.
  std::size_t size() {
    std::lock_guard lock(mutex_);
    return mail_.size();
  }
  void clear() {
    std::lock_guard lock(mutex_);
    mail_.clear();
  }

 private:
  template <class Fits>
  Mail take(Fits fits, const std::string& wanted) {
    std::unique_lock lock(mutex_);
    auto found = mail_.end();
    const bool came = arrived_.wait_for(lock, kDeadline, [&] {
      found = std::find_if(mail_.begin(), mail_.end(), fits);
      return found != mail_.end();
    });
    if (!came) {
      std::string have;
      for (const Mail& mail : mail_) have += " " + mail.text;
      ADD_FAILURE() << "no " << wanted << " came in time; there is:" << have;
      return {};
    }
    Mail mail = std::move(*found);
    mail_.erase(found);
    return mail;
  }

  const term::AtomTable& atoms_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Mail> mail_;  // guarded by mutex_
};

namespace native {

/// What a BATON_MESSAGE with this root and a Job's address in word[0] makes a probe do.
inline constexpr baton_term kRun = term::atom("$run");
struct Job {
  std::function<int(Context&)> work;
  std::mutex mutex;
  std::condition_variable is_over;
  bool is_done = false;
};

struct ProbeState {
  std::shared_ptr<Inbox> inbox;
};
struct ChildState {
  std::shared_ptr<term::Block> args;
  bool passes_exits_on = false;
};

// ---- Probe

inline int probe_init(baton_context*, void* state, const Message* args) {
  auto* inbox = reinterpret_cast<std::shared_ptr<Inbox>*>(args->word[0]);
  static_cast<ProbeState*>(state)->inbox = std::move(*inbox);
  delete inbox;
  return BATON_OK;
}
inline int probe_handle(baton_context* raw, void* state, const Message* message) {
  if (message->kind != BATON_MESSAGE || message->root != kRun) {
    static_cast<ProbeState*>(state)->inbox->put(*message);
    return BATON_OK;
  }
  auto& job = *reinterpret_cast<Job*>(message->word[0]);
  const int answer = job.work(runtime::context_of(raw));
  std::lock_guard lock(job.mutex);
  job.is_done = true;
  job.is_over.notify_all();
  return answer;
}

// ---- Children

inline void tell(Context& context, baton_term to, std::initializer_list<baton_term> parts) {
  term::Builder builder;
  runtime::send(context, to, runtime::message_of(context, builder.tuple(parts)));
}
inline int stop_with(Context& context, baton_term reason) {
  if (context.stop_reason != nullptr) context.release(context.stop_reason);
  context.stop_reason = runtime::message_of(context, reason);
  return BATON_STOP;
}
/// [Reporter, Id | What]: the parts.
inline baton_term reporter_of(baton_term args) { return term::head(args); }
inline baton_term id_of(baton_term args) { return term::head(term::tail(args)); }
inline baton_term what_of(baton_term args) { return term::tail(term::tail(args)); }

using Flags = std::array<std::atomic<bool>, kFlags>;

inline int child_init(baton_context* raw, void* state, const Message* args) {
  Context& context = runtime::context_of(raw);
  auto& child = *static_cast<ChildState*>(state);
  child.args = std::make_shared<term::Block>(term::Block::copy_of(args->root).value());
  context.current->set(runtime::kTrapExit);
  for (baton_term what : term::elements(what_of(args->root))) {
    if (what == term::atoms::kIgnore) return BATON_STOP;
    if (what == term::atom("trap")) child.passes_exits_on = true;
    if (what == term::atom("plain")) context.current->clear(runtime::kTrapExit);
    if (const auto fail = term::tagged_tuple(what, term::atom("fail"), 2))
      return stop_with(context, (*fail)[1]);
    if (const auto fail_if = term::tagged_tuple(what, term::atom("fail_if"), 2)) {
      const auto* flags = static_cast<const Flags*>(context.runtime.extension("test.flags"));
      if ((*flags)[static_cast<std::size_t>(*term::as_int((*fail_if)[1]))].load()) {
        tell(context, reporter_of(args->root), {term::atom("failing"), id_of(args->root)});
        return stop_with(context, term::atom("broken"));
      }
    }
  }
  tell(context, reporter_of(args->root), {term::atom("started"), id_of(args->root)});
  return BATON_OK;
}
inline int child_handle(baton_context* raw, void* state, const Message* message) {
  Context& context = runtime::context_of(raw);
  const auto& child = *static_cast<ChildState*>(state);
  const baton_term args = child.args->root();
  if (message->kind == BATON_EXIT && !child.passes_exits_on)
    return message->root == term::atoms::kNormal ? BATON_OK : stop_with(context, message->root);
  if (message->kind == BATON_CALL) {
    term::Builder builder;
    runtime::reply(context, context.caller, context.call_ref,
                   runtime::message_of(context, builder.tuple({term::atoms::kOk, id_of(args)}),
                                       BATON_REPLY, 1));
    return BATON_OK;
  }
  if (const auto stop = term::tagged_tuple(message->root, term::atom("stop"), 2))
    return stop_with(context, (*stop)[1]);
  if (const auto unlink = term::tagged_tuple(message->root, term::atom("unlink"), 2)) {
    runtime::unlink(context, (*unlink)[1]);
    tell(context, reporter_of(args), {term::atom("unlinked"), id_of(args)});
    return BATON_OK;
  }
  if (const auto config = term::tagged_tuple(message->root, term::atom("config"), 2)) {
    std::string key;
    for (baton_term c : term::elements((*config)[1])) key += static_cast<char>(*term::as_int(c));
    Message* value = raw->host->config(raw, key.data(), key.size());
    tell(context, reporter_of(args),
         {term::atom("config"), id_of(args),
          value != nullptr ? value->root : term::atoms::kUndefined});
    if (value != nullptr) raw->host->free(raw, value);
    return BATON_OK;
  }
  if (const auto listen = term::tagged_tuple(message->root, term::atom("listen"), 2)) {
    const auto* tcp = static_cast<const baton_tcp*>(context.runtime.extension(BATON_TCP));
    const std::string name(*term::as_binary((*listen)[1]));
    const int result = tcp->listen(raw, name.data(), name.size(), 0);
    tell(context, reporter_of(args),
         {term::atom("listening"), id_of(args), term::make_int(result)});
    return BATON_OK;
  }
  // What else comes is passed on, for tests to see.
  tell(context, reporter_of(args), {term::atom("got"), id_of(args), message->root});
  return BATON_OK;
}
inline void child_terminate(baton_context* raw, void* state, const Message* reason) {
  const baton_term args = static_cast<ChildState*>(state)->args->root();
  tell(runtime::context_of(raw), reporter_of(args),
       {term::atom("ended"), id_of(args), reason->root});
}

// Its frame is nothing but a place to come back to.
inline int stubborn_init(baton_context* raw, void*, const Message* args) {
  Context& context = runtime::context_of(raw);
  context.current->set(runtime::kTrapExit);
  tell(context, reporter_of(args->root), {term::atom("started"), id_of(args->root)});
  raw->frame = raw;
  return BATON_AWAIT;
}
inline int stubborn_resume(baton_context* raw, void*, void* frame) {
  while (Message* message = raw->host->receive(raw)) raw->host->free(raw, message);
  raw->frame = frame;
  return BATON_AWAIT;
}
inline void stubborn_destroy(baton_context*, void*) {}

/// A captive that ends waits here while this is set.
inline std::atomic<bool> captives_linger{false};
inline void captive_terminate(baton_context*, void*, const Message*) { captives_linger.wait(true); }

inline constexpr baton_schema kProbeSchema = runtime::native_schema<ProbeState>("probe");
inline constexpr baton_schema kChildSchema = runtime::native_schema<ChildState>("child");
inline constexpr baton_behaviour kBehaviours[] = {
    {.name = "probe",
     .kind = BATON_GEN_SERVER,
     .flags = runtime::kIsHostCode,
     .state = &kProbeSchema,
     .init = probe_init,
     .handle = probe_handle,
     .resume = nullptr,
     .destroy_frame = nullptr,
     .terminate = nullptr},
    {.name = "child",
     .kind = BATON_GEN_SERVER,
     .flags = runtime::kIsHostCode,
     .state = &kChildSchema,
     .init = child_init,
     .handle = child_handle,
     .resume = nullptr,
     .destroy_frame = nullptr,
     .terminate = child_terminate},
    {.name = "captive",
     .kind = BATON_GEN_SERVER,
     .flags = 0,
     .state = &kProbeSchema,
     .init = probe_init,
     .handle = probe_handle,
     .resume = nullptr,
     .destroy_frame = nullptr,
     .terminate = captive_terminate},
    {.name = "stubborn",
     .kind = BATON_PROCESS,
     .flags = runtime::kIsHostCode,
     .state = nullptr,
     .init = stubborn_init,
     .handle = nullptr,
     .resume = stubborn_resume,
     .destroy_frame = stubborn_destroy,
     .terminate = nullptr},
};
inline constexpr baton_module kModule{.struct_size = sizeof(baton_module),
                                      .abi_major = BATON_ABI_MAJOR,
                                      .abi_minor = BATON_ABI_MINOR,
                                      .name = "test",
                                      .version = "1.0.0",
                                      .build = "test",
                                      .behaviour_count = 4,
                                      .behaviour_stride = sizeof(baton_behaviour),
                                      .behaviours = kBehaviours,
                                      .init = nullptr,
                                      .fini = nullptr};

}  // namespace native

class RuntimeFixture : public testing::Test, private runtime::Observer {
 protected:
  /// A process of the test: see the head of the file.
  class Probe {
   public:
    Probe(RuntimeFixture& fixture, baton_term pid, std::shared_ptr<Inbox> inbox)
        : fixture_(fixture), pid_(pid), inbox_(std::move(inbox)) {}

    baton_term pid() const { return pid_; }
    std::string text() const { return fixture_.text(pid_); }
    Inbox& inbox() { return *inbox_; }
    Mail next() { return inbox_->next(); }
    Mail await(const std::string& mail) { return inbox_->await(mail); }

    /// Runs the work inside the process and waits for its end. What it returns is what its callback
    /// returns.
    void run_to(std::function<int(Context&)> work) {
      native::Job job{.work = std::move(work), .mutex = {}, .is_over = {}};
      {
        runtime::External external(fixture_.runtime_);
        Message* message = external.context().allocate(1);
        message->root = native::kRun;
        message->word[0] = reinterpret_cast<baton_term>(&job);
        runtime::send(external.context(), pid_, message);
      }
      std::unique_lock lock(job.mutex);
      const bool came = job.is_over.wait_for(lock, kDeadline, [&] { return job.is_done; });
      BATON_CHECK(came, "a probe did not run its work in time");
    }
    void run(const std::function<void(Context&)>& work) {
      run_to([&work](Context& context) {
        work(context);
        return BATON_OK;
      });
    }
    void trap_exit() {
      run([](Context& context) { context.current->set(runtime::kTrapExit); });
    }

   private:
    RuntimeFixture& fixture_;
    baton_term pid_;
    std::shared_ptr<Inbox> inbox_;
  };

  /// `prepare`, if any, has the runtime before it starts.
  explicit RuntimeFixture(std::uint32_t schedulers = 2,
                          const std::function<void(runtime::Runtime&)>& prepare = nullptr,
                          const runtime::LongScheduleLimits& limits = {})
      : runtime_({.schedulers = schedulers, .limits = limits}, atoms_, code_, *this) {
    auto staged = code_.stage(std::make_unique<code::Version>(&native::kModule));
    EXPECT_TRUE(staged.ok());
    code_.make_current("test");
    runtime_.add_extension("test.flags", &flags_);
    for (std::string_view word :
         {"started", "ended", "got", "stop", "unlink", "unlinked", "fail", "fail_if", "failing",
          "broken", "trap", "plain", "test", "child", "stubborn", "config", "listening"})
      EXPECT_TRUE(atoms_.intern(word).ok());
    if (prepare != nullptr) prepare(runtime_);
    runtime_.start();
  }
  ~RuntimeFixture() override { runtime_.stop(); }

  Probe probe() { return probe(code_.current("test")); }
  /// Of another version with the same behaviours, or of another behaviour.
  Probe probe(code::Version* version, const char* behaviour = "probe") {
    auto inbox = std::make_shared<Inbox>(atoms_);
    runtime::External external(runtime_);
    Message* args = external.context().allocate(1);
    args->word[0] = reinterpret_cast<baton_term>(new std::shared_ptr<Inbox>(inbox));
    const auto spawned = runtime::spawn(
        external.context(),
        {.version = version, .behaviour = version->behaviour(behaviour), .args = args});
    return Probe(*this, spawned.pid, inbox);
  }

  std::string text(baton_term t) const { return term::print(t, atoms_); }
  term::Block parse(const std::string& wanted) {
    auto parsed = term::parse(wanted, atoms_);
    EXPECT_TRUE(parsed.ok()) << wanted << ": " << parsed.error().message();
    return parsed.ok() ? std::move(parsed).value() : term::Block();
  }
  baton_term atom(std::string_view name) { return atoms_.intern(name).value(); }

  /// The answer to a call as text; an error's message if there is none.
  std::string call(baton_term to, const std::string& request, milliseconds timeout = kDeadline) {
    auto answer = runtime_.call(to, parse(request), timeout);
    return answer.ok() ? text(answer->root()) : "error: " + answer.error().message();
  }
  /// The pid in {ok, Pid}.
  baton_term call_for_pid(baton_term to, const std::string& request) {
    auto answer = runtime_.call(to, parse(request), kDeadline);
    EXPECT_TRUE(answer.ok()) << request << ": " << answer.error().message();
    if (!answer.ok()) return BATON_NO_TERM;
    const auto ok = term::tagged_tuple(answer->root(), term::atoms::kOk, 2);
    EXPECT_TRUE(ok && term::is_pid((*ok)[1])) << request << ": " << text(answer->root());
    return ok ? (*ok)[1] : BATON_NO_TERM;
  }
  void cast(baton_term to, const std::string& message) {
    const term::Block block = parse(message);
    runtime::External external(runtime_);
    Message* sent = runtime::message_of(external.context(), block.root(), BATON_CAST);
    runtime::send(external.context(), to, sent);
  }
  void send(baton_term to, const std::string& message) {
    const term::Block block = parse(message);
    runtime::External external(runtime_);
    runtime::send(external.context(), to, runtime::message_of(external.context(), block.root()));
  }
  void exit_signal(baton_term to, const std::string& reason) {
    const term::Block block = parse(reason);
    runtime::External external(runtime_);
    runtime::exit_signal(external.context(), to,
                         runtime::message_of(external.context(), block.root(), BATON_MESSAGE, 1));
  }
  bool is_alive(baton_term pid) {
    const runtime::Process* process = runtime_.find(pid);
    return process != nullptr && process->generation.load() == runtime::pid_generation(pid) &&
           process->version.load() != nullptr;
  }

  /// How many crash reports there were.
  std::uint64_t crashes() const { return crashes_.load(); }
  std::vector<std::string> log_lines() {
    std::lock_guard lock(log_mutex_);
    return log_lines_;
  }

  /// The first report of that kind on a callback that does not return.
  runtime::LongSchedule await_report(runtime::LongSchedule::What what) {
    std::unique_lock lock(log_mutex_);
    auto found = reports_.end();
    const bool came = reported_.wait_for(lock, kDeadline, [&] {
      found = std::find_if(reports_.begin(), reports_.end(),
                           [&](const auto& report) { return report.what == what; });
      return found != reports_.end();
    });
    EXPECT_TRUE(came) << "no report on a long callback came in time";
    return came ? *found : runtime::LongSchedule();
  }

  term::AtomTable atoms_;
  code::CodeTable code_;
  native::Flags flags_{};
  runtime::Runtime runtime_;

 private:
  void crashed(baton_term, const code::Version&, const char*, baton_term) override { ++crashes_; }
  void log(int, baton_term, const code::Version*, std::string_view line) override {
    std::lock_guard lock(log_mutex_);
    if (log_lines_.size() < kLogLinesMax) log_lines_.emplace_back(line);
  }

  void long_schedule(const runtime::LongSchedule& report) override {
    std::lock_guard lock(log_mutex_);
    reports_.push_back(report);
    reported_.notify_all();
  }

  static constexpr std::size_t kLogLinesMax = 10'000;
  std::atomic<std::uint64_t> crashes_{0};
  std::mutex log_mutex_;
  std::vector<std::string> log_lines_;          // guarded by log_mutex_
  std::vector<runtime::LongSchedule> reports_;  // guarded by log_mutex_
  std::condition_variable reported_;
};

}  // namespace baton::test
