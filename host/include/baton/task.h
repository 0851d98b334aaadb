// Task: a coroutine of a process, which may await the answer to a call or a message and lets other
// processes run meanwhile.
//
//   baton::Task<Total> handle_call(const Sum& m) { co_return co_await call<Get>(m.peer); }
//   baton::Task<int> ask(baton::Self self, Pid peer) { co_return co_await self.call<Get>(peer); }
//
// A Task starts when it is awaited, runs on the stack of whoever resumes it, and hands its
// exception on to who awaits it. Its frame is memory of the host, which is asked for it through a
// Self: so a Task is a member of a gen_server or takes a Self among its parameters.
//
// Invariants: a frame ends with a word that says whose Activation it belongs to, because operator
//             delete is told nothing else, and a module may have no thread_local. Not checked: new
//             writes it, and delete has nothing to compare it with.
// Ownership:  the Task owns its frame.
// Threads:    one at a time; it may go on on another thread, so nothing of a thread may be held
//             across co_await.
#pragma once

#include <baton/self.h>

namespace baton::inline v1 {

template <class T>
class Task;

namespace task {

class Frame {
 public:
  template <class... Args>
  explicit Frame(const Args&... args) : activation_(owner_of(args...)) {}

  // Inlined, since gcc takes a template and a plain function for an unequal pair of new and delete.
  template <class... Args>
  [[gnu::always_inline]] static void* operator new(std::size_t size, const Args&... args) {
    static_assert((std::is_base_of_v<Self, Args> || ...),
                  "baton: a Task must be a member of a gen_server or take a baton::Self, by whose "
                  "process its frame is kept: add the parameter `baton::Self self`");
    Activation* const activation = owner_of(args...);
    baton_context* const context = activation->context;
    void* const frame = context->host->allocate(context, total(size));
    if (frame == nullptr) throw std::bad_alloc();
    *owner(frame, size) = activation;
    return frame;
  }
  static void operator delete(void* frame, std::size_t size) {
    baton_context* const context = (*owner(frame, size))->context;
    context->host->deallocate(context, frame, total(size));
  }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  auto final_suspend() const noexcept {
    struct HandBack {
      const Frame& frame;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept {
        if (frame.continuation_) frame.activation_->hand_over_to(frame.continuation_);
      }
      void await_resume() const noexcept {}
    };
    return HandBack{*this};
  }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  /// Runs `self` next, and `continuation` when it is at its end.
  void run_before(std::coroutine_handle<> continuation, std::coroutine_handle<> self) {
    continuation_ = continuation;
    activation_->hand_over_to(self);
  }

 protected:
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

 private:
  static std::size_t total(std::size_t size) { return (size + 7) / 8 * 8 + sizeof(Activation*); }
  static Activation** owner(void* frame, std::size_t size) {
    return reinterpret_cast<Activation**>(static_cast<char*>(frame) + (size + 7) / 8 * 8);
  }
  template <class... Args>
  static Activation* owner_of(const Args&... args) {
    Activation* activation = nullptr;
    const auto look = [&]<class Arg>(const Arg& arg) {
      if constexpr (std::is_base_of_v<Self, Arg>)
        activation = static_cast<const Self&>(arg).activation();
    };
    (look(args), ...);
    return activation;
  }

  Activation* const activation_;
  std::coroutine_handle<> continuation_;
  std::exception_ptr exception_;
};

template <class T>
class Promise : public Frame {
 public:
  using Frame::Frame;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public Frame {
 public:
  using Frame::Frame;
  Task<void> get_return_object();
  void return_void() const {}
  void take() { rethrow(); }
};

// Coroutines do not resume each other but return to here and say who is next: the stack stays flat
// also where the compiler makes no tail calls.
/// Goes on with what waits, if it can. True: the task is at its end.
inline bool proceed(Activation& activation) {
  std::coroutine_handle<> next = activation.task;
  for (;;) {
    if (activation.then != nullptr && activation.is_handover) {
      next = std::coroutine_handle<>::from_address(activation.then);
    } else if (activation.then != nullptr) {
      Waiter& waiter = *static_cast<Waiter*>(activation.then);
      baton_context* const context = activation.context;
      if (!waiter.is_over(waiter, context)) {
        if (waiter.deadline != 0) context->host->await_until(context, waiter.deadline);
        return false;
      }
      next = waiter.leaf;
    }
    activation.then = nullptr;
    next.resume();
    if (activation.task.done()) return true;
    if (activation.then == nullptr)
      throw std::logic_error("a Task awaited something that is neither a Task, a call nor mail");
  }
}

}  // namespace task

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task::Promise<T>;
  using Value = T;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> continuation) {
    frame_.promise().run_before(continuation, frame_);
  }
  T await_resume() { return frame_.promise().take(); }

  /// The frame, which then belongs to the caller: for who runs the outermost task.
  std::coroutine_handle<promise_type> release() { return std::exchange(frame_, {}); }
  std::coroutine_handle<promise_type> frame() const { return frame_; }

 private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> task::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> task::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace baton::inline v1
