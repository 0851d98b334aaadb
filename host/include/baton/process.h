// Process: a process written as one loop that receives, as in the classic Erlang programs.
//
//   struct Pong : baton::Process<Pong> {
//     static baton::Task<> loop(baton::Self self) {
//       for (;;) {
//         Ping ping = co_await self.receive<Ping>();
//         self.send(ping.from, "pong"_atom);
//       }
//     }
//   };
//
//   co_await self.receive()                the next message, whatever it is
//   co_await self.receive<Ping>()          the first Ping; what does not fit stays in the mailbox,
//                                          in order
//   co_await self.receive<Ping, Stop>()    the first of either, as a std::variant
//   co_await self.receive(matches)         the first that a function of (const Mail&) accepts; one
//                                          that captures by value needs a name (temporary.h)
//   co_await self.receive_for<...>(100ms)  the same with a time-out, as a std::optional
//
// Besides messages, Down, Exit, Request<M> (a call that asks for an answer) and ConfigChange can be
// received by type. By type, a message in the form of another version that the host knows is
// received in that of this one; one that is meant by its name and is in no known form is its
// sender's error: a call fails for who asked, others are logged, and the process goes on waiting.
// Of two messages of one name, the one that fits is received.
//
// The loop's second parameter, if it has one, is what spawn was given. Returning from it is exit
// normal; what it throws is the exit reason. A Process may list Calls, Casts and Infos for its
// contract, as a gen_server.
//
// A take-over does not move such a process, since its frame is code of its version: it goes on
// there, and is killed, and started anew by its supervisor, when the release is permanent. What is
// to outlive an upgrade belongs into the state of a gen_server.
//
// Threads: the process's callbacks.
#pragma once

#include <baton/mail.h>
#include <baton/message_hook.h>
#include <baton/task.h>

namespace baton::inline v1 {

/// A message as it lies in the mailbox.
class Mail {
 public:
  explicit Mail(const baton_message* message) : message_(message) {}
  Term root() const { return Term(message_->root); }
  Pid from() const { return {message_->from}; }
  /// BATON_MESSAGE, BATON_CALL, BATON_DOWN, ...
  int kind() const { return message_->kind; }
  /// Of a call, a monitor's DOWN, a timer.
  Ref ref() const { return {message_->word[0]}; }
  const baton_message* message() const { return message_; }
  template <class T>
  bool is() const;
  template <class T>
  T as() const;

 private:
  const baton_message* message_;
};

/// A message received, owned until it goes out of scope.
class ReceivedMail : public Mail {
 public:
  ReceivedMail(baton_context* const* context, baton_message* message)
      : Mail(message), context_(context), message_(message) {}
  ReceivedMail(ReceivedMail&& other) noexcept
      : Mail(other), context_(other.context_), message_(std::exchange(other.message_, nullptr)) {}
  ReceivedMail& operator=(ReceivedMail&&) = delete;
  ~ReceivedMail() {
    if (message_ != nullptr) (*context_)->host->free(*context_, message_);
  }

 private:
  baton_context* const* context_;  // it may be another one when the mail is freed
  baton_message* message_;
};

/// A monitored process is dead.
struct Down {
  Pid pid;
  Ref ref;
  TermValue reason;
};
/// A linked process is dead, and exits are trapped.
struct Exit {
  Pid pid;
  TermValue reason;
};
/// A call; answer it with self.reply(request.caller, value).
template <class M>
struct Request {
  M message;
  Caller caller;
};

namespace process {

template <class T>
struct Received {
  static_assert(!Codec<T>::borrows,
                "baton: what is received must own what it holds: take std::string or "
                "baton::TermValue, or receive() and read the Mail");
  static bool matches(const Mail& mail) {
    const int kind = mail.kind();
    return (kind == BATON_MESSAGE || kind == BATON_CAST || kind == BATON_TIMEOUT) &&
           Codec<T>::matches(mail.root());
  }
  static T read(const Mail& mail) { return Codec<T>::read(mail.root()); }
};
template <>
struct Received<Down> {
  static bool matches(const Mail& mail) { return mail.kind() == BATON_DOWN; }
  static Down read(const Mail& mail) { return {mail.from(), mail.ref(), TermValue(mail.root())}; }
};
template <>
struct Received<Exit> {
  static bool matches(const Mail& mail) { return mail.kind() == BATON_EXIT; }
  static Exit read(const Mail& mail) { return {mail.from(), TermValue(mail.root())}; }
};
template <class M>
struct Received<Request<M>> {
  static bool matches(const Mail& mail) {
    return mail.kind() == BATON_CALL && Codec<M>::matches(mail.root());
  }
  static Request<M> read(const Mail& mail) {
    return {Codec<M>::read(mail.root()), {mail.from(), mail.ref()}};
  }
};

struct Anything {
  bool operator()(const Mail&) const { return true; }
};
template <class... T>
struct OneOf {
  using Type = std::variant<T...>;
};
template <class T>
struct OneOf<T> {
  using Type = T;
};

// What co_await of a receive is. Value is what it yields, made from the mail by Read.
template <class Value, class Matches, class Read>
class [[nodiscard]] Receive : private task::Waiter {
 public:
  Receive(const Self& self, Matches matches, Read read, milliseconds timeout, bool has_timeout)
      : Waiter{has_come, {}, has_timeout ? task::deadline_after(self.host(), timeout) : 0},
        activation_(self.activation()),
        matches_(std::move(matches)),
        read_(std::move(read)) {}
  Receive(const Receive&) = delete;
  ~Receive() {
    if (got_ != nullptr) activation_->context->host->free(activation_->context, got_);
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> frame) {
    leaf = frame;
    activation_->wait_for(this);
  }
  Value await_resume() { return read_(*activation_, std::exchange(got_, nullptr)); }

 private:
  bool take(baton_context* context) {
    if constexpr (std::is_same_v<Matches, Anything>) {
      got_ = context->host->receive(context);
    } else {
      got_ = context->host->receive_match(context, accepts, this);
      if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    return got_ != nullptr;
  }
  static bool has_come(Waiter& waiter, baton_context* context) {
    return static_cast<Receive&>(waiter).take(context) || waiter.is_past(context->host);
  }
  // Called by the host, so nothing may be thrown through it.
  static int accepts(void* environment, const baton_message* message) noexcept {
    Receive& receive = *static_cast<Receive*>(environment);
    try {
      return !receive.failure_ && receive.matches_(Mail(message)) ? 1 : 0;
    } catch (...) {
      receive.failure_ = std::current_exception();
      return 0;
    }
  }

  task::Activation* activation_;
  [[no_unique_address]] Matches matches_;
  [[no_unique_address]] Read read_;
  baton_message* got_ = nullptr;
  std::exception_ptr failure_;
};

struct AsMail {
  ReceivedMail operator()(task::Activation& activation, baton_message* message) const {
    return {&activation.context, message};
  }
};
template <class Read>
struct Optionally {
  Read read;
  auto operator()(task::Activation& activation, baton_message* message) const {
    using Value = decltype(read(activation, message));
    return message != nullptr ? std::optional<Value>(read(activation, message)) : std::nullopt;
  }
};

// What co_await of a receive by type is: it yields the first message of one of the types, or one
// that becomes that; if it has a time-out, as an optional. It is read as soon as it is there, so
// that one that cannot be read is passed by.
template <bool kHasTimeout, class... T>
class [[nodiscard]] ReceiveValue : private task::Waiter {
  using Type = typename OneOf<T...>::Type;

 public:
  ReceiveValue(const Self& self, milliseconds timeout, bool has_timeout)
      : Waiter{has_come, {}, has_timeout ? task::deadline_after(self.host(), timeout) : 0},
        activation_(self.activation()) {}
  ReceiveValue(const ReceiveValue&) = delete;
  ~ReceiveValue() { drop_form(); }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> frame) {
    leaf = frame;
    activation_->wait_for(this);
  }
  auto await_resume() {
    if constexpr (kHasTimeout) {
      return std::move(value_);
    } else {
      return *std::move(value_);
    }
  }

 private:
  static bool has_come(Waiter& waiter, baton_context* context) {
    return static_cast<ReceiveValue&>(waiter).take(context) || waiter.is_past(context->host);
  }
  bool take(baton_context* context) {
    while (baton_message* const got = context->host->receive_match(context, accepts, this)) {
      const ReceivedMail mail(&activation_->context, got);
      if (read(mail)) return true;
    }
    return false;
  }
  static bool matches(const Mail& mail) { return (Received<T>::matches(mail) || ...); }
  // Called by the host, so nothing may be thrown through it.
  static int accepts(void* environment, const baton_message* message) noexcept {
    ReceiveValue& receive = *static_cast<ReceiveValue*>(environment);
    if (matches(Mail(message))) return 1;
    return receive.find_form(message) ? 1 : 0;
  }

  // Whether the host has it in another form that is one of the types: in form_ then.
  bool find_form(const baton_message* message) noexcept {
    drop_form();
    if (message->kind != BATON_MESSAGE && message->kind != BATON_CALL &&
        message->kind != BATON_CAST && message->kind != BATON_TIMEOUT)
      return false;
    if (!has_looked_) forms_ = Self(activation_).extension<baton_mail>(BATON_MAIL);
    has_looked_ = true;
    if (forms_ == nullptr) return false;
    form_ = forms_->other_form(activation_->context, message);
    if (form_ != nullptr && !matches(Mail(form_))) drop_form();
    return form_ != nullptr;
  }
  void drop_form() noexcept {
    if (form_ != nullptr) activation_->context->host->free(activation_->context, form_);
    form_ = nullptr;
  }

  // As what it is, else in its other form.
  bool read(const Mail& mail) {
    std::string why;
    if (form_ == nullptr) {
      if (read_as_is(mail, why)) return true;
      if (!find_form(mail.message())) return refuse(mail, why);
    }
    const bool is_read = read_as_is(Mail(form_), why);
    drop_form();
    return is_read || refuse(mail, why);
  }
  bool read_as_is(const Mail& mail, std::string& why) {
    const auto read_one = [&]<class One>(std::type_identity<One>) {
      if (!Received<One>::matches(mail)) return false;
      try {
        value_.emplace(Received<One>::read(mail));
        return true;
      } catch (const BadTerm& bad) {
        why = bad.what();
        return false;
      }
    };
    return (read_one(std::type_identity<T>()) || ...);
  }
  // It is its sender's error. False.
  [[gnu::cold, gnu::noinline]] bool refuse(const Mail& mail, const std::string& why) {
    if (forms_ == nullptr) throw BadTerm(why);  // of a host that knows no forms
    const Self self(activation_);
    baton_context* const context = activation_->context;
    const std::string text =
        "receive does not take this form: " +
        (context->error.length == 0 ? why
                                    : std::string(context->error.text, context->error.length));
    self.log_error(text, ", from ", mail.from(), ": ", mail.root());
    if (mail.kind() == BATON_CALL) {
      const std::tuple<Atom, std::string_view> reason("error"_atom, text);
      forms_->refuse_received(context, mail.message(), make_message(context, reason, 1).release());
    }
    return false;
  }

  task::Activation* activation_;
  std::optional<Type> value_;
  baton_message* form_ = nullptr;  // what a message that was found becomes, to be freed
  const baton_mail* forms_ = nullptr;
  bool has_looked_ = false;
};

template <class Matches>
constexpr bool check_temporary() {
  static_assert(temporary::kIsSafeFunction<Matches>,
                "baton: g++ before 13 destroys what a temporary lambda captures twice inside "
                "co_await: capture by reference, or give it a name first, const auto matches = "
                "[text](const baton::Mail& mail) {...}; co_await receive(matches)");
  return true;
}

template <class Read, class Matches>
auto receive_as(const Self& self, Matches&& matches) {
  static_assert(check_temporary<Matches>());
  using Value = decltype(Read{}(std::declval<task::Activation&>(), nullptr));
  return Receive<Value, std::remove_cvref_t<Matches>, Read>(self, std::forward<Matches>(matches),
                                                            Read{}, kInfinity, false);
}
template <class Read, class Matches>
auto receive_as(const Self& self, milliseconds timeout, Matches&& matches) {
  static_assert(check_temporary<Matches>());
  using Value = std::optional<decltype(Read{}(std::declval<task::Activation&>(), nullptr))>;
  return Receive<Value, std::remove_cvref_t<Matches>, Optionally<Read>>(
      self, std::forward<Matches>(matches), {}, timeout, timeout != kInfinity);
}

}  // namespace process

template <class... T>
auto Self::receive() const {
  if constexpr (sizeof...(T) == 0) {
    return process::receive_as<process::AsMail>(*this, process::Anything{});
  } else {
    return process::ReceiveValue<false, T...>(*this, kInfinity, false);
  }
}
template <class Matches>
requires std::predicate<Matches&, const Mail&>
auto Self::receive(Matches&& matches) const {
  return process::receive_as<process::AsMail>(*this, std::forward<Matches>(matches));
}
template <class... T>
auto Self::receive_for(milliseconds timeout) const {
  if constexpr (sizeof...(T) == 0) {
    return process::receive_as<process::AsMail>(*this, timeout, process::Anything{});
  } else {
    return process::ReceiveValue<true, T...>(*this, timeout, timeout != kInfinity);
  }
}
template <class Matches>
requires std::predicate<Matches&, const Mail&>
auto Self::receive_for(milliseconds timeout, Matches&& matches) const {
  return process::receive_as<process::AsMail>(*this, timeout, std::forward<Matches>(matches));
}

template <class T>
bool Mail::is() const {
  return process::Received<T>::matches(*this);
}
template <class T>
T Mail::as() const {
  return process::Received<T>::read(*this);
}

namespace process {

template <class Loop>
struct Parameters;
template <class R, class First>
struct Parameters<R (*)(First)> {
  using Args = void;
};
template <class R, class First, class Second>
struct Parameters<R (*)(First, Second)> {
  using Args = std::remove_cvref_t<Second>;
};

}  // namespace process

template <class Derived>
class Process {
 public:
  using Calls = Messages<>;
  using Casts = Messages<>;
  using Infos = Messages<>;

  static constexpr baton_behaviour behaviour() {
    baton_behaviour table{
        .name = text::snake_name<Derived>.chars,
        .kind = BATON_PROCESS,
        .flags = 0,
        .state = nullptr,
        .init = init,
        .handle = handle,
        .resume = resume,
        .destroy_frame = destroy_frame,
        .terminate = nullptr,
    };
    message_hook::put_into<Derived>(table);
    return table;
  }

 private:
  static int init(baton_context* context, void*, const baton_message* args) noexcept {
    return task::guarded(context, [&] {
      void* const memory = context->host->allocate(context, sizeof(task::Activation));
      if (memory == nullptr) throw std::bad_alloc();
      auto* const activation = new (memory) task::Activation{.context = context};
      return settle(activation, [&] {
        using Args = typename process::Parameters<decltype(&Derived::loop)>::Args;
        if constexpr (std::is_void_v<Args>) {
          return Derived::loop(Self(activation));
        } else {
          static_assert(!Codec<Args>::borrows,
                        "baton: a loop's argument must own what it holds: take a std::string or a "
                        "baton::TermValue");
          return Derived::loop(Self(activation), task::read_args<Args>(Term(args->root)));
        }
      });
    });
  }
  // Mail comes to a frame only; a process whose frame waits is resumed instead.
  static int handle(baton_context*, void*, const baton_message*) noexcept { return BATON_OK; }
  static int resume(baton_context* context, void*, void* frame) noexcept {
    auto* const activation = static_cast<task::Activation*>(frame);
    activation->context = context;
    return settle(activation, [&] { return Frame::from_address(activation->task.address()); });
  }
  static void destroy_frame(baton_context* context, void* frame) noexcept {
    auto* const activation = static_cast<task::Activation*>(frame);
    activation->context = context;
    activation->is_stopping = true;
    discard(activation);
  }

  using Frame = std::coroutine_handle<task::Promise<void>>;

  static void discard(task::Activation* activation) noexcept {
    if (activation->task) activation->task.destroy();
    const baton_host* const host = activation->context->host;
    host->deallocate(activation->context, activation, sizeof(task::Activation));
  }

  // Runs it as far as it goes, and keeps or discards what is left.
  template <class Start>
  static int settle(task::Activation* activation, Start start) noexcept {
    baton_context* const context = activation->context;
    const int result = task::guarded(context, [&] {
      Frame frame;
      if constexpr (std::is_same_v<decltype(start()), Frame>) {
        frame = start();
      } else {
        frame = start().release();
        activation->task = frame;
      }
      if (!task::proceed(*activation)) return +BATON_AWAIT;
      frame.promise().take();
      return +BATON_STOP;
    });
    if (result == BATON_AWAIT) {
      context->frame = activation;
    } else {
      discard(activation);
    }
    return result;
  }
};

}  // namespace baton::inline v1
