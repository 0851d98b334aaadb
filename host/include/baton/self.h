// Self: what a process can do. Every gen_server is one, and every coroutine process is given one.
//
//   send(to, message)            cast(to, message)          co_await call<M>(to, fields...)
//   reply(caller, value)         send_after(delay, to, m)   cancel_timer(ref)
//   spawn<B>(args)               spawn_link<B>(args)        spawn_monitor<B>(args)
//   co_await start_child<B>(supervisor, fields...)
//   send_interval(period, to, m) monitor(pid) demonitor(ref) link(pid) unlink(pid)
//   exit(pid, reason)            trap_exit(true)
//   register_name(name)          whereis(name)              exit(reason) stop(reason)
//   log_info("got ", n)          config<T>("key")           co_await receive...() (baton/process.h)
//
// A call awaits inside a Task (baton/task.h) and yields what the message says it is answered with,
// by `using Reply = T;` in its struct, else a TermValue:
//
//   co_await call<Ask>(to, text)               makes an Ask of its fields and sends it
//   co_await call_for<Ask>(100ms, to, text)    the same with another time-out than five seconds
//   Ask ask{text};
//   co_await call(to, ask [, timeout])         sends one that has a name
//   co_await call<Ask, R>(to, text)            the answer is an R, whatever Ask says
//
// A message that has something to destroy may not be a temporary, co_await call(to, Ask{text}):
// g++ before 13 destroys it twice, so there it does not compile (baton/temporary.h).
//
// Invariants: it is used inside the callback or Task it was given to, nowhere else, and never
//             stored. Not checked: a module's own copies are not seen.
// Threads:    the callback's.
// Fails:      a call that gets no answer throws CallFailed with the exit reason; memory that the
//             host will not give throws std::bad_alloc.
#pragma once

#include <baton/codec.h>
#include <baton/interval.h>
#include <baton/print.h>
#include <baton/state.h>
#include <baton/temporary.h>

#include <chrono>
#include <concepts>
#include <coroutine>
#include <exception>

namespace baton::inline v1 {

using std::chrono::milliseconds;
inline constexpr milliseconds kInfinity = milliseconds::max();
inline constexpr milliseconds kCallTimeout{5000};

/// The module this code is part of; BATON_MODULE defines it.
[[gnu::visibility("hidden")]] const baton_module* this_module() noexcept;

/// Who asks, and under which reference. May be kept in a State to reply later.
struct Caller {
  Pid pid;
  Ref ref;
  friend bool operator==(const Caller&, const Caller&) = default;
};
BATON_STATE(Caller, pid, ref)

/// What a spawn should do besides.
struct SpawnOptions {
  bool link = false;
  bool monitor = false;
  std::optional<Atom> name = {};  ///< to be registered under before init runs
};

/// A call got no answer: the callee is dead, was never there, or took too long.
class CallFailed : public std::runtime_error {
 public:
  CallFailed(TermValue reason, const std::string& text)
      : std::runtime_error(text), reason_(std::move(reason)) {}
  /// noproc, timeout, or what the callee died of.
  Term reason() const { return reason_; }

 private:
  TermValue reason_;
};

/// A release changed the configuration of the application; config<T>(key) has the new values.
struct ConfigChange {
  TermValue changed;  ///< a list of {Key, Value}
  TermValue added;    ///< the same
  TermValue removed;  ///< a list of keys
  /// Whether the value of this key is another than before, or new, or gone.
  bool concerns(std::string_view key) const {
    const auto is_key = [key](Term term) {
      return term.is_atom(Atom(key)) || (term.is_binary() && term.binary() == key);
    };
    for (Term pairs : {changed.term(), added.term()})
      for (Term pair : pairs.list())
        if (is_key(pair[0])) return true;
    for (Term gone : removed.term().list())
      if (is_key(gone)) return true;
    return false;
  }
};
BATON_MESSAGE(ConfigChange, changed, added, removed)

template <class... M>
struct Messages {
  static constexpr std::size_t size = sizeof...(M);
};

namespace task {

// What a suspended coroutine waits for; it lies in that coroutine's frame.
struct Waiter {
  bool (*is_over)(Waiter&, baton_context*);
  std::coroutine_handle<> leaf;
  std::uint64_t deadline = 0;  // on the host's clock; 0 is none

  bool is_past(const baton_host* host) const { return deadline != 0 && host->now_ns() >= deadline; }
};

// One run of a callback, from its start to its end, however often it awaits. The context is only
// good until the callback returns, so all that outlives that reaches it through here.
struct Activation {
  baton_context* context = nullptr;
  std::coroutine_handle<> task = {};  // the outermost coroutine
  void* then = nullptr;  // set by the coroutine that suspended: what it waits for, or who goes on
  bool is_handover = false;  // which of the two
  bool is_stopping = false;

  void wait_for(Waiter* waiter) {
    then = waiter;
    is_handover = false;
  }
  void hand_over_to(std::coroutine_handle<> frame) {
    then = frame.address();
    is_handover = true;
  }
};

// Ends the process from anywhere below a callback; its reason is set already.
struct ProcessExit {};

inline std::uint64_t deadline_after(const baton_host* host, milliseconds timeout) {
  if (timeout == kInfinity) return 0;
  const auto ns = std::chrono::nanoseconds(timeout).count();
  return host->now_ns() + static_cast<std::uint64_t>(ns > 0 ? ns : 0);
}

/// Runs a callback; what it throws becomes the exit reason, as text.
template <class F>
int guarded(baton_context* context, F&& run) noexcept {
  try {
    return run();
  } catch (const ProcessExit&) {
    return BATON_STOP;
  } catch (const std::exception& exception) {
    state::say(&context->error, exception.what());
  } catch (...) {
    state::say(&context->error, "an exception that is no std::exception");
  }
  return BATON_CRASH;
}

// "text" and the like travel as binaries.
template <class T>
decltype(auto) as_wire(const T& value) {
  if constexpr (!kTravels<T> && std::is_convertible_v<const T&, std::string_view>) {
    return std::string_view(value);
  } else {
    return (value);
  }
}

template <class T>
inline constexpr bool kTakesList = std::is_same_v<T, Term> || std::is_same_v<T, TermValue>;
template <class... T>
inline constexpr bool kTakesList<std::vector<T...>> = true;
template <class... T>
inline constexpr bool kTakesList<std::deque<T...>> = true;
template <class T, std::size_t N>
inline constexpr bool kTakesList<std::array<T, N>> = true;
template <class... T>
inline constexpr bool kTakesList<std::set<T...>> = true;
template <class... T>
inline constexpr bool kTakesList<std::unordered_set<T...>> = true;
template <class T>
inline constexpr bool kTakesList<std::optional<T>> = kTakesList<T>;
template <class... T>
inline constexpr bool kTakesList<std::variant<T...>> = (kTakesList<T> || ...);

// What a process was started with. Supervisors give a list, of which what is no list is the one
// element.
template <class T>
T read_args(Term args) {
  if constexpr (!kTakesList<T>) {
    Term only;
    std::size_t size = 0;
    if (args.is_list())
      for (Term arg : args.list()) {
        only = arg;
        if (++size > 1) break;
      }
    if (size == 1) return Codec<T>::read(only);
  }
  return Codec<T>::read(args);
}

template <class M>
struct ReplyTo {
  using Type = TermValue;
};
template <class M>
requires requires { typename M::Reply; }
struct ReplyTo<M> {
  using Type = typename M::Reply;
};

// A number that becomes a message's member: of whatever type, if it fits, as a literal would.
template <class T>
struct Number {
  T value;
  template <class U>
  requires((std::integral<U> && std::integral<T> && !std::is_same_v<U, bool>) ||
           std::floating_point<U>)
  operator U() const {
    if constexpr (std::integral<U>)
      if (static_cast<T>(static_cast<U>(value)) != value ||
          (static_cast<U>(value) < U{}) != (value < T{}))
        throw std::out_of_range("call: a number does not fit into the member it is meant for");
    return static_cast<U>(value);
  }
};
template <class F>
decltype(auto) as_field(std::remove_reference_t<F>& field) {
  using T = std::remove_cvref_t<F>;
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    return Number<T>{field};
  } else {
    return static_cast<F&&>(field);
  }
}

/// The answer to a request that is under way; co_await it once.
template <class R>
class [[nodiscard]] Call : private Waiter {
  static_assert(!Codec<R>::borrows,
                "baton: a reply must own what it holds: take std::string or baton::TermValue");

 public:
  Call(Activation* activation, ServerRef to, baton_term ref, milliseconds timeout)
      : Waiter{is_answered, {}, deadline_after(activation->context->host, timeout)},
        activation_(activation),
        to_(to),
        ref_(ref) {}
  Call(const Call&) = delete;
  ~Call() {
    if (got_ != nullptr) host()->free(activation_->context, got_);
    if (ref_ != 0 && !activation_->is_stopping) forget();
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> frame) {
    leaf = frame;
    activation_->wait_for(this);
  }
  R await_resume() {
    if (got_ == nullptr) {
      forget();
      fail(Term("timeout"_atom.word));
    }
    ref_ = 0;
    if (got_->kind != BATON_REPLY) fail(Term(got_->root));
    return Codec<R>::read(Term(got_->root));
  }

 protected:
  [[noreturn, gnu::cold]] void fail(Term reason) {
    throw CallFailed(TermValue(reason), to_text(host(), "call failed: {", reason,
                                                ",{gen_server,call,[", Term(to_.word), "]}}"));
  }

 private:
  const baton_host* host() const { return activation_->context->host; }
  void forget() { host()->demonitor(activation_->context, std::exchange(ref_, 0)); }
  static bool is_answered(Waiter& waiter, baton_context* context) {
    Call& call = static_cast<Call&>(waiter);
    call.got_ = context->host->receive_ref(context, call.ref_);
    return call.got_ != nullptr || waiter.is_past(context->host);
  }

  Activation* activation_;
  ServerRef to_;
  baton_term ref_;
  baton_message* got_ = nullptr;
};

}  // namespace task

class Mail;

/// The running process.
class Self {
 public:
  explicit Self(task::Activation* activation) : activation_(activation) {}

  /// This process.
  Pid pid() const { return {context()->self}; }

  template <class M>
  void send(ServerRef to, const M& message) const {
    host()->send(context(), to.word, pack(message).release());
  }
  template <class M>
  void cast(ServerRef to, const M& message) const {
    host()->cast(context(), to.word, pack(message).release());
  }
  /// Sends the request now; co_await the result for its answer.
  template <class M>
  auto call(ServerRef to, M&& message, milliseconds timeout = kCallTimeout) const {
    static_assert(
        temporary::kIsSafe<M>,
        "baton: g++ before 13 destroys a temporary message twice inside co_await: let the "
        "call make it, co_await call<Ask>(to, fields...), or give it a name first, "
        "Ask ask{fields...}; co_await call(to, ask)");
    return request<typename task::ReplyTo<std::remove_cvref_t<M>>::Type>(to, message, timeout);
  }
  /// The same with an M made of its fields.
  template <class M, class R = typename task::ReplyTo<M>::Type, class... Fields>
  auto call(ServerRef to, Fields&&... fields) const {
    return call_for<M, R>(kCallTimeout, to, std::forward<Fields>(fields)...);
  }
  template <class M, class R = typename task::ReplyTo<M>::Type, class... Fields>
  auto call_for(milliseconds timeout, ServerRef to, Fields&&... fields) const {
    static_assert(
        (temporary::kIsSafe<Fields> && ...),
        "baton: g++ before 13 destroys a temporary field twice inside co_await: give it a "
        "name first, Part part{...}; co_await call<Ask>(to, part)");
    static_assert(
        requires { M{task::as_field<Fields>(fields)...}; },
        "baton: call<M>(to, fields...) makes the message M of its fields, and these are not "
        "fields of M; a time-out comes first: call_for<M>(timeout, to, fields...)");
    // The last members may be left to their defaults.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
    if constexpr (requires { M{task::as_field<Fields>(fields)...}; })
      return request<R>(to, M{task::as_field<Fields>(fields)...}, timeout);
#pragma GCC diagnostic pop
  }
  /// Answers a request whose handler returned NoReply.
  template <class R>
  void reply(Caller caller, const R& value) const {
    host()->reply(context(), caller.pid.word, caller.ref.word, pack(value, 1).release());
  }

  /// Waits for mail inside a Task; see baton/process.h.
  template <class... T>
  auto receive() const;
  template <class Matches>
  requires std::predicate<Matches&, const Mail&>
  auto receive(Matches&& matches) const;
  template <class... T>
  auto receive_for(milliseconds timeout) const;
  template <class Matches>
  requires std::predicate<Matches&, const Mail&>
  auto receive_for(milliseconds timeout, Matches&& matches) const;

  /// Throws std::logic_error for what would never come: after kInfinity.
  template <class M>
  Ref send_after(milliseconds delay, ServerRef to, const M& message) const {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), 0));
    const Ref timer{host()->send_after(context(), ms, to.word, pack(message, 1).release())};
    if (timer.word == BATON_NO_TERM)
      throw std::logic_error("send_after: its message would never come; send none");
    return timer;
  }
  /// Sends the message again and again: first after one period, and until cancel_timer or the end
  /// of its receiver, which is whoever has the name now. A receiver that is slower finds all that
  /// came meanwhile. Throws std::logic_error if there is no period, or it never ends.
  template <class M>
  Ref send_interval(milliseconds period, ServerRef to, const M& message) const {
    const auto* const table = extension<baton_interval>(BATON_INTERVAL);
    if (table == nullptr) throw std::logic_error("send_interval: this host has no intervals");
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(period.count(), 0));
    const Ref timer{table->send_interval(context(), ms, to.word, pack(message, 1).release())};
    if (timer.word == BATON_NO_TERM)
      throw std::logic_error("send_interval: a period is at least a millisecond, and ends");
    return timer;
  }
  /// True: it will not arrive any more.
  bool cancel_timer(Ref timer) const { return host()->cancel_timer(context(), timer.word) != 0; }

  /// Starts a process of this module; the args are what its init receives.
  template <class B, class... Args>
  Pid spawn(const Args&... args) const {
    return start<B>(SpawnOptions(), args...).first;
  }
  template <class B, class... Args>
  Pid spawn_link(const Args&... args) const {
    return start<B>({.link = true}, args...).first;
  }
  template <class B, class... Args>
  std::pair<Pid, Ref> spawn_monitor(const Args&... args) const {
    return start<B>({.monitor = true}, args...);
  }
  /// Asks a supervisor of the release for a child; see baton/child.h.
  template <class B, class... Fields>
  auto start_child(ServerRef supervisor, Fields&&... fields) const;
  /// The pid, empty if the host refused (the name is taken, a limit is reached), and the monitor's
  /// ref.
  template <class B, class... Args>
  std::pair<Pid, Ref> start(const SpawnOptions& options, const Args&... args) const {
    static_assert(sizeof...(Args) <= 1,
                  "baton: a process is given one argument; put several into "
                  "a struct or a std::tuple");
    baton_spawn_options table{sizeof(baton_spawn_options), 0, 0, 0};
    if (options.link) table.flags |= BATON_SPAWN_LINK;
    if (options.monitor) table.flags |= BATON_SPAWN_MONITOR;
    if (options.name) table.name = options.name->word;
    const baton_behaviour* const behaviour = listed<B>();
    baton_message* message;
    if constexpr (sizeof...(Args) == 0) {
      message = pack(Term(BATON_NIL), 1).release();
    } else {
      message = pack(args..., 1).release();
    }
    const baton_term pid = host()->spawn(context(), behaviour, message, &table);
    return {Pid{pid}, Ref{table.monitor}};
  }

  Ref monitor(Pid pid) const { return {host()->monitor(context(), pid.word)}; }
  void demonitor(Ref monitor) const { host()->demonitor(context(), monitor.word); }
  void link(Pid pid) const { host()->link(context(), pid.word); }
  void unlink(Pid pid) const { host()->unlink(context(), pid.word); }
  void trap_exit(bool on) const { host()->trap_exit(context(), on ? 1 : 0); }

  /// Sends an exit signal.
  template <class R>
  void exit(Pid pid, const R& reason) const {
    host()->exit(context(), pid.word, pack(reason, 1).release());
  }
  /// Ends this process here and now.
  template <class R>
  [[noreturn]] void exit(const R& reason) const {
    stop(reason);
    throw task::ProcessExit();
  }
  /// Ends this process when the callback has returned; a reply it returns is still sent.
  template <class R>
  void stop(const R& reason) const {
    host()->exit_reason(context(), pack(reason, 1).release());
    activation_->is_stopping = true;
  }
  void stop() const { activation_->is_stopping = true; }

  /// False: the name is taken or the process is dead.
  bool register_name(Atom name) const { return register_name(name, pid()); }
  bool register_name(Atom name, Pid pid) const {
    return host()->register_name(context(), name.word, pid.word) == 0;
  }
  bool unregister_name(Atom name) const {
    return host()->unregister_name(context(), name.word) == 0;
  }
  std::optional<Pid> whereis(Atom name) const {
    const Pid found{host()->whereis(context(), name.word)};
    return found ? std::optional(found) : std::nullopt;
  }
  Ref make_ref() const { return {host()->make_ref(context())}; }
  std::chrono::nanoseconds now() const { return std::chrono::nanoseconds(host()->now_ns()); }

  /// The value under this key of the application's configuration, if there is one.
  template <class T>
  std::optional<T> config(std::string_view key) const {
    static_assert(!Codec<T>::borrows, "baton: take a std::string or a baton::TermValue");
    OwnedMessage found(context(), host()->config(context(), key.data(), key.size()));
    if (found.get() == nullptr) return std::nullopt;
    try {
      return Codec<T>::read(Term(found.get()->root));
    } catch (const BadTerm& bad) {
      throw BadTerm("configuration key " + std::string(key) + ": " + bad.what());
    }
  }
  /// An optional table of the host, such as "baton.tcp/1", or null.
  template <class Table>
  const Table* extension(const char* name_and_version) const {
    return static_cast<const Table*>(host()->get_extension(host(), name_and_version));
  }

  /// A line in the host's log: texts, numbers and terms, one behind the other.
  template <class... Parts>
  void log(int level, const Parts&... parts) const {
    const std::string text = to_text(host(), parts...);
    host()->log(context(), level, text.data(), text.size());
  }
  template <class... Parts>
  void log_debug(const Parts&... parts) const {
    log(BATON_LOG_DEBUG, parts...);
  }
  template <class... Parts>
  void log_info(const Parts&... parts) const {
    log(BATON_LOG_INFO, parts...);
  }
  template <class... Parts>
  void log_warning(const Parts&... parts) const {
    log(BATON_LOG_WARNING, parts...);
  }
  template <class... Parts>
  void log_error(const Parts&... parts) const {
    log(BATON_LOG_ERROR, parts...);
  }

  /// The C side, for what is not wrapped here.
  baton_context* context() const { return activation_->context; }
  const baton_host* host() const { return activation_->context->host; }
  task::Activation* activation() const { return activation_; }

 protected:
  Self() = default;
  void act_for(task::Activation* activation) { activation_ = activation; }

 private:
  template <class R, class M>
  task::Call<R> request(ServerRef to, const M& message, milliseconds timeout) const {
    return {activation_, to, host()->call(context(), to.word, pack(message, 1).release()), timeout};
  }
  template <class T>
  OwnedMessage pack(const T& value, std::size_t reserved = 0) const {
    return make_message(context(), task::as_wire(value), reserved);
  }
  // The host knows a behaviour by its entry in the module's table, so it is that one which must be
  // passed.
  template <class B>
  static const baton_behaviour* listed() {
    const baton_module* const module = this_module();
    for (std::uint32_t i = 0; i < module->behaviour_count; ++i)
      if (module->behaviours[i].name == text::snake_name<B>.chars) return &module->behaviours[i];
    throw std::logic_error("spawn: " + std::string(text::snake_name<B>.view()) +
                           " is not in this module's BATON_MODULE");
  }

  task::Activation* activation_ = nullptr;
};

}  // namespace baton::inline v1
