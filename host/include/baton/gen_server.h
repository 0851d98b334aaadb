// GenServer: a process that keeps a state and answers calls, one callback at a time.
//
//   struct Counter : baton::GenServer<Counter, State> {
//     using Calls = baton::Messages<Increment, Sum>;     // the messages it takes: its contract
//     using Casts = baton::Messages<Reset>;
//     using Infos = baton::Messages<Tick>;
//
//     std::int64_t handle_call(const Increment& m) { return state().value += m.by; }
//     baton::Task<Total> handle_call(const Sum& m) { co_return co_await call<Get>(m.peer); }
//     void handle_cast(const Reset&) { state().value = 0; }
//     void handle_info(const Tick&) { log_info("tick"); }
//   };
//
//   callback                          when                                may return
//   init(args)                        at its start; args optional         void, State (then it may
//                                                                         be static)
//   handle_call(const M&)             a call of M                         the reply, void (replies
//                                                                         ok), NoReply (reply
//                                                                         later), a Task of these
//   handle_cast(const M&)             a cast of M                         void, Task<>
//   handle_info(const M&)             any other message M, a timer's      void, Task<>
//   handle_timeout(Ref, Term)         a timer, if this is written         void
//   handle_down(Pid, Ref, Term)       a monitored process is dead         void
//   handle_exit(Pid, Term)            a linked one, if exits are trapped  void
//   handle_config_change(             the application's configuration     void
//       const ConfigChange&)          has changed; config<T>() is new
//   terminate(Term reason)            a stop, a crash, its parent's exit  void
//   handle_raw(const baton_message*)  before all of these, for speed;     a BATON_ code, or kPassOn
//                                     null after BATON_YIELD
//
// Only init must be known by one signature; all are optional. While a Task awaits, other messages
// wait. A call or cast of a name that no handler takes, and whatever a handler throws, ends the
// process, as in OTP; an unknown info is logged. A message whose name is known and whose form is
// not (members more, fewer, or of other types) is its sender's error: a call fails for who asked,
// others are logged. If it, or one of an unknown name, is in the form of another version that the
// host knows, it is converted and handled; where that cannot be done it is its sender's error too.
// Two messages of one name may stand in one list if they have different numbers of members. Of a
// change of the configuration the workers directly below an application's top supervisor are told.
// A kill, or an exit that is not trapped, ends it where it stands, without terminate.
//
// Invariants: the object is made anew for each callback around context and state; members of its
//             own would be lost, so it may have none, which the compiler checks.
// Threads:    the process's callbacks.
#pragma once

#include <baton/mail.h>
#include <baton/message_hook.h>
#include <baton/process.h>

namespace baton::inline v1 {

/// handle_call returns it when the reply comes later, by reply(caller, value).
struct NoReply {};

/// handle_raw returns it for a message that the typed handlers should have.
inline constexpr int kPassOn = -1;

namespace gen_server {

template <class T>
struct TaskValue {
  using Type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct TaskValue<Task<T>> {
  using Type = T;
  static constexpr bool is_task = true;
};

template <class Init>
struct InitTraits;
template <class R, class... A>
struct InitTraits<R (*)(A...)> {
  using Result = R;
  using Args = std::tuple<std::remove_cvref_t<A>...>;
};
template <class R, class D, class... A>
struct InitTraits<R (D::*)(A...)> : InitTraits<R (*)(A...)> {};
template <class R, class... A>
struct InitTraits<R (*)(A...) noexcept> : InitTraits<R (*)(A...)> {};
template <class R, class D, class... A>
struct InitTraits<R (D::*)(A...) noexcept> : InitTraits<R (*)(A...)> {};

// A callback that awaits: it keeps the server object and the message alive for its Task.
struct Job : task::Activation {
  int (*complete)(Job&);           // the task is at its end: reply
  void (*discard)(Job&) noexcept;  // frees it and all it holds
};

template <class Server, class M, class R>
struct JobOf : Job {
  Server server;
  M message;
  Caller caller;
  Task<R> task_of_handler;

  JobOf(baton_context* in, Server&& from, const M& m, Caller c)
      : Job{{.context = in}, finish, free}, server(std::move(from)), message(m), caller(c) {}

  static int finish(Job& job) {
    JobOf& self = static_cast<JobOf&>(job);
    if constexpr (std::is_void_v<R>) {
      self.task_of_handler.await_resume();
      if (self.caller.ref) self.server.reply(self.caller, "ok"_atom);
    } else if constexpr (std::is_same_v<R, NoReply>) {
      self.task_of_handler.await_resume();
    } else {
      self.server.reply(self.caller, self.task_of_handler.await_resume());
    }
    return self.is_stopping ? BATON_STOP : BATON_OK;
  }
  static void free(Job& job) noexcept {
    baton_context* const context = job.context;
    JobOf* const self = static_cast<JobOf*>(&job);
    self->~JobOf();
    context->host->deallocate(context, self, sizeof(JobOf));
  }
};

inline int settle(Job& job) noexcept {
  baton_context* const context = job.context;
  const int result =
      task::guarded(context, [&] { return task::proceed(job) ? job.complete(job) : +BATON_AWAIT; });
  if (result == BATON_AWAIT) {
    context->frame = &job;
  } else {
    job.discard(job);
  }
  return result;
}

// Whether the term is for M, of the list of All: by its name, and where another has that name too,
// by the number of its members.
template <class M, class... All>
bool is_for(Term root) {
  if constexpr (!DescribedStruct<M>) {
    return Codec<M>::matches(root);
  } else {
    constexpr auto has_name = []<class Other>(std::type_identity<Other>) {
      if constexpr (DescribedStruct<Other>) return Codec<Other>::tag == Codec<M>::tag;
      return false;
    };
    constexpr std::size_t namesakes = (std::size_t{has_name(std::type_identity<All>())} + ...);
    if constexpr (namesakes == 1) {
      return Codec<M>::matches(root);
    } else {
      return Codec<M>::matches(root) &&
             (root.is_tuple() ? root.size() : 1) == MembersOf<M>::size + 1;
    }
  }
}

// One per message and kind of handler, so that the compiler's error names the server and the
// message.
template <class Server, class M>
struct CallHandler {
  static_assert(
      requires(Server & server, const M& m) { server.handle_call(m); },
      "baton: Calls lists a message for which there is no public handle_call(const M&)");
  using Result = decltype(std::declval<Server&>().handle_call(std::declval<const M&>()));
  using Reply = typename TaskValue<Result>::Type;
  static constexpr bool declares_reply = requires { typename M::Reply; };
};
template <class Server, class M>
struct CastHandler {
  static_assert(
      requires(Server & server, const M& m) { server.handle_cast(m); },
      "baton: Casts lists a message for which there is no public handle_cast(const M&)");
  using Result = decltype(std::declval<Server&>().handle_cast(std::declval<const M&>()));
};
template <class Server, class M>
struct InfoHandler {
  static_assert(
      requires(Server & server, const M& m) { server.handle_info(m); },
      "baton: Infos lists a message for which there is no public handle_info(const M&)");
  using Result = decltype(std::declval<Server&>().handle_info(std::declval<const M&>()));
};

}  // namespace gen_server

template <class Derived, class State_>
class GenServer : public Self {
 public:
  using State = State_;
  using Calls = Messages<>;
  using Casts = Messages<>;
  using Infos = Messages<>;

  static constexpr baton_behaviour behaviour() {
    static_assert(
        DescribedState<State>,
        "baton: describe the State of this gen_server with BATON_STATE(State, fields...)");
    static_assert(sizeof(Derived) == sizeof(GenServer) && std::is_default_constructible_v<Derived>,
                  "baton: a gen_server object lives for one callback only: put its members into "
                  "its State");
    baton_behaviour table{
        .name = text::snake_name<Derived>.chars,
        .kind = BATON_GEN_SERVER,
        .flags = 0,
        .state = &Schema<State>::value,
        .init = init_callback,
        .handle = handle_callback,
        .resume = resume_callback,
        .destroy_frame = destroy_frame_callback,
        .terminate = nullptr,
    };
    if constexpr (requires(Derived & server, Term reason) { server.terminate(reason); })
      table.terminate = terminate_callback;
    message_hook::put_into<Derived>(table);
    return table;
  }

 protected:
  State& state() const { return *state_; }
  Pid self() const { return pid(); }
  /// Who asks. Requires: inside handle_call, before its first co_await.
  Caller caller() const { return {{context()->caller}, {context()->call_ref}}; }

 private:
  using Handled = std::optional<int>;

  static Derived make(task::Activation* activation, void* state) {
    Derived server;
    GenServer& base = server;
    base.act_for(activation);
    base.state_ = static_cast<State*>(state);
    return server;
  }
  static int end_of(const task::Activation& activation) {
    return activation.is_stopping ? BATON_STOP : BATON_OK;
  }

  static int init_callback(baton_context* context, void* state,
                           const baton_message* args) noexcept {
    return task::guarded(context, [&] {
      task::Activation activation{.context = context};
      if constexpr (requires { &Derived::init; }) {
        using Traits = gen_server::InitTraits<decltype(&Derived::init)>;
        using Args = typename Traits::Args;
        static_assert(std::tuple_size_v<Args> <= 1,
                      "baton: init takes one argument at most; put several into a struct");
        Derived server = make(&activation, state);
        const auto run = [&](const auto&... arg) {
          if constexpr (std::is_void_v<typename Traits::Result>) {
            server.init(arg...);
          } else {
            *static_cast<State*>(state) = server.init(arg...);
          }
        };
        if constexpr (std::tuple_size_v<Args> == 0) {
          run();
        } else {
          run(task::read_args<std::tuple_element_t<0, Args>>(Term(args->root)));
        }
      }
      return end_of(activation);
    });
  }

  static int handle_callback(baton_context* context, void* state,
                             const baton_message* message) noexcept {
    return task::guarded(context, [&] {
      task::Activation activation{.context = context};
      Derived server = make(&activation, state);
      if constexpr (requires { server.handle_raw(message); }) {
        const int result = server.handle_raw(message);
        if (result != kPassOn) return activation.is_stopping ? +BATON_STOP : result;
      }
      if (message == nullptr) return +BATON_OK;
      try {
        return dispatch(activation, server, *message);
      } catch (const BadTerm& bad) {
        return cope(server, *message, bad);
      }
    });
  }

  [[gnu::always_inline]] static int dispatch(task::Activation& activation, Derived& server,
                                             const baton_message& message) {
    switch (message.kind) {
      case BATON_CALL: return serve_call(server, message, typename Derived::Calls());
      case BATON_CAST: return serve_cast(server, message, typename Derived::Casts());
      case BATON_DOWN:
        if constexpr (requires { server.handle_down(Pid(), Ref(), Term()); }) {
          server.handle_down({message.from}, {message.word[0]}, Term(message.root));
          return end_of(activation);
        }
        break;
      case BATON_EXIT:
        if constexpr (requires { server.handle_exit(Pid(), Term()); }) {
          server.handle_exit({message.from}, Term(message.root));
          return end_of(activation);
        }
        break;
      case BATON_TIMEOUT:
        if constexpr (requires { server.handle_timeout(Ref(), Term()); }) {
          server.handle_timeout({message.word[0]}, Term(message.root));
          return end_of(activation);
        }
        return serve_info(server, message, typename Derived::Infos());
      case BATON_REPLY: return +BATON_OK;  // to a call that was given up
      case BATON_MESSAGE:
        if constexpr (requires(const ConfigChange& c) { server.handle_config_change(c); }) {
          if (Codec<ConfigChange>::matches(Term(message.root))) {
            server.handle_config_change(Codec<ConfigChange>::read(Term(message.root)));
            return end_of(activation);
          }
        }
        return serve_info(server, message, typename Derived::Infos());
      default: return serve_info(server, message, typename Derived::Infos());
    }
    return unknown_info(server, message);
  }

  static int resume_callback(baton_context* context, void*, void* frame) noexcept {
    auto& job = *static_cast<gen_server::Job*>(frame);
    job.context = context;
    return gen_server::settle(job);
  }
  static void destroy_frame_callback(baton_context* context, void* frame) noexcept {
    auto& job = *static_cast<gen_server::Job*>(frame);
    job.context = context;
    job.is_stopping = true;
    job.discard(job);
  }
  static void terminate_callback(baton_context* context, void* state,
                                 const baton_message* reason) noexcept {
    task::guarded(context, [&] {
      task::Activation activation{.context = context};
      make(&activation, state).terminate(reason != nullptr ? Term(reason->root) : Term());
      return +BATON_OK;
    });
  }

  // The first message of the list that fits, by `serve`; nothing if none does. Not asked for an
  // empty list, since clang looks the handler up in `serve` even when that is never called.
  template <class... M, class Serve>
  static Handled first_match(Messages<M...>, Term root, Serve serve) {
    Handled handled;
    (void)((gen_server::is_for<M, M...>(root) &&
            (handled = serve(std::type_identity<M>()), true)) ||
           ...);
    return handled;
  }

  // How much of a message the list knows.
  enum class Known { kNothing, kName, kForm };
  template <class... M>
  static Known known_of(Messages<M...>, Term root) {
    Known known = Known::kNothing;
    [[maybe_unused]] const auto look = [&]<class Type>(std::type_identity<Type>) {
      if (known == Known::kForm || !Codec<Type>::matches(root)) return;
      known = Known::kName;
      if (!gen_server::is_for<Type, M...>(root)) return;
      try {
        static_cast<void>(Codec<Type>::read(root));
        known = Known::kForm;
      } catch (const BadTerm&) {
      }
    };
    (look(std::type_identity<M>()), ...);
    return known;
  }
  static Known known_of(const baton_message& message) {
    const Term root(message.root);
    switch (message.kind) {
      case BATON_CALL: return known_of(typename Derived::Calls(), root);
      case BATON_CAST: return known_of(typename Derived::Casts(), root);
      default: return known_of(typename Derived::Infos(), root);
    }
  }

  // As another version has it, if the host knows that; else BATON_UNKNOWN_FORM.
  static int handle_other_form(Derived& server, const baton_message& message) {
    const auto* const mail = server.template extension<baton_mail>(BATON_MAIL);
    server.context()->error.length = 0;
    return mail != nullptr ? mail->handle_other_form(server.context(), &message)
                           : +BATON_UNKNOWN_FORM;
  }

  // After handle_other_form: of a form that the host knows.
  static std::string why_not_converted(const Derived& server) {
    const baton_error& error = server.context()->error;
    return {error.text, error.length};
  }

  // The message was refused, by what is being caught: is it its form's fault, or the handler's?
  [[gnu::cold, gnu::noinline]] static int cope(Derived& server, const baton_message& message,
                                               const BadTerm& bad) {
    const Known known = known_of(message);
    if (known == Known::kForm) throw;
    if (const int answer = handle_other_form(server, message); answer != BATON_UNKNOWN_FORM)
      return answer;
    baton_context* const context = server.context();
    const auto* const mail = server.template extension<baton_mail>(BATON_MAIL);
    const std::string why = why_not_converted(server);
    if (mail == nullptr || (known == Known::kNothing && why.empty())) throw;
    const std::string text = std::string(text::snake_name<Derived>.view()) +
                             " does not take this form: " + (why.empty() ? bad.what() : why);
    server.log_error(text, ", from ", Pid{message.from}, ": ", Term(message.root));
    if (message.kind == BATON_CALL) {
      const std::tuple<Atom, std::string_view> reason("error"_atom, text);
      mail->refuse(context, make_message(context, reason, 1).release());
    }
    return end_of(*server.activation());
  }

  template <class... M>
  static int serve_call(Derived& server, const baton_message& message, Messages<M...> calls) {
    const Term root(message.root);
    if constexpr (sizeof...(M) > 0) {
      const Caller from = server.caller();
      const Handled handled = first_match(calls, root, [&]<class Type>(std::type_identity<Type>) {
        using Handler = gen_server::CallHandler<Derived, Type>;
        using Result = typename Handler::Result;
        using Reply = typename Handler::Reply;
        if constexpr (gen_server::TaskValue<Result>::is_task) {
          return start_job<Type, Reply>(server, Codec<Type>::read(root), from, [](auto& job) {
            return job.server.handle_call(job.message);
          });
        } else if constexpr (std::is_void_v<Result>) {
          server.handle_call(Codec<Type>::read(root));
          server.reply(from, "ok"_atom);
          return end_of(*server.activation());
        } else if constexpr (std::is_same_v<Result, NoReply>) {
          server.handle_call(Codec<Type>::read(root));
          return end_of(*server.activation());
        } else {
          server.reply(from, server.handle_call(Codec<Type>::read(root)));
          return end_of(*server.activation());
        }
      });
      if (handled) return *handled;
    }
    throw BadTerm(
        to_text(server.host(), text::snake_name<Derived>.view(), ": no handle_call takes ", root));
  }

  template <class... M>
  static int serve_cast(Derived& server, const baton_message& message, Messages<M...> casts) {
    const Term root(message.root);
    if constexpr (sizeof...(M) > 0) {
      const Handled handled = first_match(casts, root, [&]<class Type>(std::type_identity<Type>) {
        using Result = typename gen_server::CastHandler<Derived, Type>::Result;
        if constexpr (gen_server::TaskValue<Result>::is_task) {
          return start_job<Type, void>(server, Codec<Type>::read(root), {}, [](auto& job) {
            return job.server.handle_cast(job.message);
          });
        } else {
          server.handle_cast(Codec<Type>::read(root));
          return end_of(*server.activation());
        }
      });
      if (handled) return *handled;
    }
    throw BadTerm(
        to_text(server.host(), text::snake_name<Derived>.view(), ": no handle_cast takes ", root));
  }

  template <class... M>
  static int serve_info(Derived& server, const baton_message& message, Messages<M...> infos) {
    const Term root(message.root);
    if constexpr (sizeof...(M) > 0) {
      const Handled handled = first_match(infos, root, [&]<class Type>(std::type_identity<Type>) {
        using Result = typename gen_server::InfoHandler<Derived, Type>::Result;
        if constexpr (gen_server::TaskValue<Result>::is_task) {
          return start_job<Type, void>(server, Codec<Type>::read(root), {}, [](auto& job) {
            return job.server.handle_info(job.message);
          });
        } else {
          server.handle_info(Codec<Type>::read(root));
          return end_of(*server.activation());
        }
      });
      if (handled) return *handled;
    }
    return unknown_info(server, message);
  }

  [[gnu::cold, gnu::noinline]] static int unknown_info(Derived& server,
                                                       const baton_message& message) {
    const bool is_mail = message.kind == BATON_MESSAGE || message.kind == BATON_TIMEOUT;
    if (is_mail)
      if (const int answer = handle_other_form(server, message); answer != BATON_UNKNOWN_FORM)
        return answer;
    if (message.kind == BATON_MESSAGE && Codec<ConfigChange>::matches(Term(message.root)))
      return BATON_OK;
    const char* const what = message.kind == BATON_DOWN   ? "DOWN of "
                             : message.kind == BATON_EXIT ? "EXIT of "
                                                          : "message from ";
    const std::string why = is_mail ? why_not_converted(server) : std::string();
    server.log_error(text::snake_name<Derived>.view(), " ignores an unexpected ", what,
                     Pid{message.from}, ": ", Term(message.root), why.empty() ? "" : ": ", why);
    return BATON_OK;
  }

  template <class M, class R, class Start>
  static int start_job(Derived& server, const M& message, Caller caller, Start start) {
    static_assert(!Codec<M>::borrows,
                  "baton: the message of a handler that returns a Task must own what it holds, "
                  "since the mail is gone after the first co_await: use std::string or "
                  "baton::TermValue");
    using Job = gen_server::JobOf<Derived, M, R>;
    baton_context* const context = server.context();
    void* const memory = context->host->allocate(context, sizeof(Job));
    if (memory == nullptr) throw std::bad_alloc();
    Job* job = nullptr;
    try {
      job = new (memory) Job(context, std::move(server), message, caller);
      static_cast<GenServer&>(job->server).act_for(job);
      job->task_of_handler = start(*job);
    } catch (...) {
      if (job != nullptr) {
        job->discard(*job);
      } else {
        context->host->deallocate(context, memory, sizeof(Job));
      }
      throw;
    }
    job->task = job->task_of_handler.frame();
    return gen_server::settle(*job);
  }

  State* state_ = nullptr;
};

}  // namespace baton::inline v1
