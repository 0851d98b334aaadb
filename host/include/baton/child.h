// Child: starting a process below a supervisor of the release, which restarts it and ends it.
//
//   co_await start_child<Session>("session_sup"_atom, user, limit)
//
// The supervisor is simple_one_for_one, and its one child the pattern: Session's module and
// behaviour, args: []. What Session's init takes is made of the fields given, as call does. It
// yields the child's pid, or an empty one if its init chose to end normally at once.
//
// The supervisor gives a child one list, its args and those given; a child whose init (or loop)
// takes something else than a list is given the one element of it.
//
// Threads: the callback's.
// Fails:   as a call; the supervisor's {error, Reason} is a CallFailed with that reason.
#pragma once

#include <baton/gen_server.h>

namespace baton::inline v1 {
namespace child {

template <class B>
struct ArgsOf {
  using Type = void;
};
template <class B>
requires requires { &B::init; } && requires {
  typename B::State;
}
struct ArgsOf<B> {
  template <class Tuple>
  struct Only {
    using Type = void;
  };
  template <class One>
  struct Only<std::tuple<One>> {
    using Type = One;
  };
  using Type = typename Only<typename gen_server::InitTraits<decltype(&B::init)>::Args>::Type;
};
template <class B>
requires requires { &B::loop; }
struct ArgsOf<B> {
  using Type = typename process::Parameters<decltype(&B::loop)>::Args;
};

// The answer to start_child, {ok, Pid} | {ok, undefined} | {error, Reason}.
class Start : public task::Call<TermValue> {
 public:
  using Call::Call;
  Pid await_resume() {
    const TermValue answer = Call::await_resume();
    const Term root = answer.term();
    if (!root.is_tuple(2) || !root[0].is_atom("ok"_atom)) fail(root.is_tuple(2) ? root[1] : root);
    return root[1].is_pid() ? Pid{root[1].word()} : Pid();
  }
};

}  // namespace child

template <class B, class... Fields>
auto Self::start_child(ServerRef supervisor, Fields&&... fields) const {
  using Args = typename child::ArgsOf<B>::Type;
  static_assert((temporary::kIsSafe<Fields> && ...),
                "baton: g++ before 13 destroys a temporary field twice inside co_await: give it a "
                "name first, Part part{...}; co_await start_child<B>(supervisor, part)");
  const auto ask = [&](const auto& list) {
    const std::tuple request("start_child"_atom, list);
    return child::Start(activation(), supervisor,
                        host()->call(context(), supervisor.word, pack(request, 1).release()),
                        kInfinity);
  };
  if constexpr (std::is_void_v<Args>) {
    static_assert(sizeof...(Fields) == 0, "baton: start_child<B>: B's init takes no argument");
    return ask(Term(BATON_NIL));
  } else {
    constexpr bool makes = requires { Args{task::as_field<Fields>(fields)...}; };
    static_assert(makes,
                  "baton: start_child<B>(supervisor, fields...) makes what B's init takes of the "
                  "fields, and it cannot be made of these");
    if constexpr (makes) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
      const Args args{task::as_field<Fields>(fields)...};
#pragma GCC diagnostic pop
      if constexpr (task::kTakesList<Args>) {
        return ask(args);
      } else {
        return ask(std::array<Args, 1>{args});
      }
    }
  }
}

}  // namespace baton::inline v1
