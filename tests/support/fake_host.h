// FakeHost: the host's table for one process at a time, on one thread, with a clock that tests set.
//
// For unit tests of the SDK: what a module asks the host for is written down (sent, replies,
// spawned, log), mail is put into the mailbox by hand, and everything handed out is counted, so
// that a test can say that nothing was lost.
//
// Invariants: one FakeHost at a time, since now_ns is told nothing about whose clock it should be.
// Ownership:  owns its messages and memory; a test frees nothing.
#pragma once

#include <baton/gen_server.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace baton::support {

/// A message that left the process, as a term of its own.
struct Outgoing {
  baton_term to;
  std::string how;  // send, cast, call, reply, timer, exit
  TermValue root;
  Ref ref;
  friend std::ostream& operator<<(std::ostream& out, const Outgoing& o) {
    return out << o.how << " " << to_text(nullptr, o.root);
  }
};

struct Spawned {
  std::string behaviour;
  TermValue args;
  std::uint32_t flags;
  baton_term name;
};

class FakeHost {
 public:
  struct Context : baton_context {
    FakeHost* owner;
  };

  FakeHost() {
    current_ = this;
    context_ = {};
    context_.host = &table_;
    context_.self = pid(1).word;
    context_.error = {sizeof error_, 0, error_};
    context_.owner = this;
  }
  FakeHost(const FakeHost&) = delete;
  ~FakeHost() {
    for (baton_message* message : mailbox) free_message(message);
    current_ = nullptr;
  }

  static Pid pid(std::uint64_t index) { return {index << 3 | BATON_TAG_PID}; }
  static Ref ref(std::uint64_t counter) { return {counter << 12 | BATON_TAG_REF}; }

  baton_context* context() { return &context_; }
  const baton_host* table() const { return &table_; }
  std::string error() const { return {error_, context_.error.length}; }
  /// Makes an atom's text known, as the host does with those in a note.
  Atom know(std::string_view text) {
    const Atom atom(text);
    atoms_[atom.word] = text;
    return atom;
  }
  template <class T>
  std::string text(const T& value) {
    return to_text(&table_, value);
  }

  /// A message as a callback is given it; the test's to free.
  template <class T>
  baton_message* message(int kind, const T& value, Pid from = {}, Ref ref = {}) {
    baton_message* const made = make_message(&context_, task::as_wire(value), 1).release();
    made->kind = static_cast<std::uint8_t>(kind);
    made->from = from.word;
    made->word[0] = ref.word;
    return made;
  }
  template <class T>
  void mail(int kind, const T& value, Pid from = {}, Ref ref = {}) {
    mailbox.push_back(message(kind, value, from, ref));
  }

  /// Whether everything that was handed out came back.
  bool is_clean() const {
    return messages_ == static_cast<std::int64_t>(mailbox.size()) && bytes_ == 0 && binaries_ == 0;
  }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t binaries() const { return binaries_; }

  std::deque<baton_message*> mailbox;
  std::vector<Outgoing> out;
  std::vector<Spawned> spawned;
  std::vector<std::string> log;
  std::vector<Ref> forgotten;
  std::map<baton_term, baton_term> names;
  std::map<std::string, TermValue> config;
  std::optional<TermValue> exit_reason;
  std::uint64_t now = 1'000'000'000;
  std::uint64_t wake_at = 0;
  bool has_memory = true;
  bool knows_forms = true;
  std::optional<TermValue> other_form;  // of the next message in no form that is taken
  std::string why_no_form;              // of one that is known and cannot be converted
  int forms_asked = 0;
  const baton_behaviour* handling = nullptr;
  void* handling_state = nullptr;

 private:
  static FakeHost& of(baton_context* context) { return *static_cast<Context*>(context)->owner; }
  Ref next_ref() { return ref(++refs_); }
  void left(baton_term to, const char* how, baton_message* message, Ref ref = {}) {
    out.push_back({to, how, TermValue(Term(message->root)), ref});
    free_message(message);
  }
  void free_message(baton_message* message) {
    if (message->flags & BATON_MESSAGE_HAS_SHARED) {
      for (baton_term at = message->word[message->words - 1]; at != 0;) {
        const auto* const header = reinterpret_cast<const baton_term*>(at);
        at = header[2];
        table_.binary_release(reinterpret_cast<baton_binary*>(header[1]));
      }
    }
    --messages_;
    std::free(message);
  }
  baton_message* take(std::size_t i) {
    baton_message* const message = mailbox[i];
    mailbox.erase(mailbox.begin() + static_cast<std::ptrdiff_t>(i));
    return message;
  }

  static baton_host make_table() {
    baton_host t{};
    t.struct_size = sizeof t;
    t.abi_major = BATON_ABI_MAJOR;
    t.abi_minor = BATON_ABI_MINOR;
    t.alloc = [](baton_context* c, std::uint32_t words) -> baton_message* {
      if (!of(c).has_memory) return nullptr;
      auto* const m =
          static_cast<baton_message*>(std::calloc(1, sizeof(baton_message) + 8 * words));
      m->words = words;
      m->from = c->self;
      ++of(c).messages_;
      return m;
    };
    t.free = [](baton_context* c, baton_message* m) { of(c).free_message(m); };
    t.send = [](baton_context* c, baton_term to, baton_message* m) { of(c).left(to, "send", m); };
    t.cast = [](baton_context* c, baton_term to, baton_message* m) { of(c).left(to, "cast", m); };
    t.call = [](baton_context* c, baton_term to, baton_message* m) {
      const Ref ref = of(c).next_ref();
      of(c).left(to, "call", m, ref);
      return ref.word;
    };
    t.reply = [](baton_context* c, baton_term to, baton_term ref, baton_message* m) {
      if (c->call_ref == ref) c->call_ref = 0;
      of(c).left(to, "reply", m, Ref{ref});
    };
    t.receive = [](baton_context* c) -> baton_message* {
      return of(c).mailbox.empty() ? nullptr : of(c).take(0);
    };
    t.receive_match = [](baton_context* c, baton_match match, void* environment) -> baton_message* {
      FakeHost& host = of(c);
      for (std::size_t i = 0; i < host.mailbox.size(); ++i)
        if (match(environment, host.mailbox[i]) != 0) return host.take(i);
      return nullptr;
    };
    t.receive_ref = [](baton_context* c, baton_term ref) -> baton_message* {
      FakeHost& host = of(c);
      for (std::size_t i = 0; i < host.mailbox.size(); ++i) {
        const baton_message& m = *host.mailbox[i];
        const bool answers =
            m.kind == BATON_REPLY || m.kind == BATON_DOWN || m.kind == BATON_TIMEOUT;
        if (answers && m.word[0] == ref) return host.take(i);
      }
      return nullptr;
    };
    t.await_until = [](baton_context* c, std::uint64_t deadline) { of(c).wake_at = deadline; };
    t.spawn = [](baton_context* c, const baton_behaviour* b, baton_message* args,
                 baton_spawn_options* options) {
      FakeHost& host = of(c);
      host.spawned.push_back({b->name, TermValue(Term(args->root)), options->flags, options->name});
      host.free_message(args);
      if (options->flags & BATON_SPAWN_MONITOR) options->monitor = host.next_ref().word;
      return pid(100 + host.spawned.size()).word;
    };
    t.exit_reason = [](baton_context* c, baton_message* m) {
      of(c).exit_reason = TermValue(Term(m->root));
      of(c).free_message(m);
    };
    t.exit = [](baton_context* c, baton_term to, baton_message* m) { of(c).left(to, "exit", m); };
    t.link = [](baton_context*, baton_term) {};
    t.unlink = [](baton_context*, baton_term) {};
    t.monitor = [](baton_context* c, baton_term) { return of(c).next_ref().word; };
    t.demonitor = [](baton_context* c, baton_term ref) { of(c).forgotten.push_back({ref}); };
    t.trap_exit = [](baton_context*, int) {};
    t.register_name = [](baton_context* c, baton_term name, baton_term pid) {
      return of(c).names.emplace(name, pid).second ? 0 : -1;
    };
    t.unregister_name = [](baton_context* c, baton_term name) {
      return of(c).names.erase(name) == 1 ? 0 : -1;
    };
    t.whereis = [](baton_context* c, baton_term name) {
      const auto found = of(c).names.find(name);
      return found == of(c).names.end() ? BATON_NO_TERM : found->second;
    };
    t.make_ref = [](baton_context* c) { return of(c).next_ref().word; };
    t.now_ns = [] { return current_->now; };
    t.send_after = [](baton_context* c, std::uint64_t ms, baton_term to, baton_message* m) {
      if (milliseconds(ms) == kInfinity) return c->host->free(c, m), BATON_NO_TERM;
      const Ref ref = of(c).next_ref();
      of(c).left(to, "timer", m, ref);
      return ref.word;
    };
    t.cancel_timer = [](baton_context*, baton_term) { return 1; };
    t.atom = [](const baton_host*, const char* text, std::size_t size) {
      return current_->know({text, size}).word;
    };
    t.atom_text = [](const baton_host*, baton_term atom, std::size_t* size) -> const char* {
      const auto found = current_->atoms_.find(atom);
      if (found == current_->atoms_.end()) return nullptr;
      *size = found->second.size();
      return found->second.c_str();
    };
    t.binary_new = [](std::size_t size) -> baton_binary* {
      auto* const b = static_cast<baton_binary*>(std::malloc(sizeof(baton_binary) + size));
      b->references = 1;
      b->size = size;
      ++current_->binaries_;
      return b;
    };
    t.binary_retain = [](baton_binary* b) { ++b->references; };
    t.binary_release = [](baton_binary* b) {
      if (--b->references > 0) return;
      --current_->binaries_;
      std::free(b);
    };
    t.allocate = [](baton_context* c, std::size_t bytes) -> void* {
      if (!of(c).has_memory) return nullptr;
      of(c).bytes_ += static_cast<std::int64_t>(bytes);
      return std::malloc(bytes);
    };
    t.deallocate = [](baton_context* c, void* memory, std::size_t bytes) {
      of(c).bytes_ -= static_cast<std::int64_t>(bytes);
      std::free(memory);
    };
    t.log = [](baton_context* c, int, const char* text, std::size_t size) {
      of(c).log.emplace_back(text, size);
    };
    t.config = [](baton_context* c, const char* key, std::size_t size) -> baton_message* {
      const auto found = of(c).config.find(std::string(key, size));
      return found == of(c).config.end() ? nullptr : make_message(c, found->second).release();
    };
    t.get_extension = [](const baton_host*, const char* name) -> const void* {
      return current_->knows_forms && std::string_view(name) == BATON_MAIL ? &kMail : nullptr;
    };
    return t;
  }
  static int handle_other_form(baton_context* c, const baton_message* m) {
    FakeHost& host = of(c);
    ++host.forms_asked;
    baton_message* const made = take_other_form(c, m);
    if (made == nullptr) return BATON_UNKNOWN_FORM;
    const int answer = host.handling->handle(c, host.handling_state, made);
    host.free_message(made);
    return answer;
  }
  static baton_message* take_other_form(baton_context* c, const baton_message* m) {
    FakeHost& host = of(c);
    state::say(&c->error, host.why_no_form);
    const std::optional<TermValue> form = std::exchange(host.other_form, std::nullopt);
    if (!form) return nullptr;
    baton_message* const made = make_message(c, *form, 1).release();
    made->kind = m->kind;
    made->from = m->from;
    made->word[0] = m->word[0];
    return made;
  }
  static void refuse(baton_context* c, baton_message* m) {
    of(c).left(c->caller, "refuse", m, Ref{std::exchange(c->call_ref, BATON_NO_TERM)});
  }
  static baton_message* other_form_of(baton_context* c, const baton_message* m) {
    ++of(c).forms_asked;
    return take_other_form(c, m);
  }
  static void refuse_received(baton_context* c, const baton_message* request, baton_message* m) {
    of(c).left(request->from, "refuse", m, Ref{request->word[0]});
  }
  static constexpr baton_mail kMail = {.struct_size = sizeof(baton_mail),
                                       .handle_other_form = handle_other_form,
                                       .refuse = refuse,
                                       .other_form = other_form_of,
                                       .refuse_received = refuse_received};

  static inline FakeHost* current_ = nullptr;

  const baton_host table_ = make_table();
  Context context_;
  char error_[256] = {};
  std::map<baton_term, std::string> atoms_;
  std::uint64_t refs_ = 0;
  std::int64_t messages_ = 0, bytes_ = 0, binaries_ = 0;
};

/// A process of a behaviour, driven by hand.
class FakeProcess {
 public:
  FakeProcess(FakeHost& host, const baton_behaviour& behaviour)
      : host_(host), behaviour_(behaviour) {
    if (behaviour.state != nullptr) {
      state_ = std::aligned_alloc(16, (behaviour.state->size + 15) / 16 * 16);
      if (behaviour.state->construct(state_, nullptr) != 0) std::abort();
    }
  }
  FakeProcess(const FakeProcess&) = delete;
  ~FakeProcess() {
    kill();
    if (state_ != nullptr) behaviour_.state->destroy(state_);
    std::free(state_);
  }

  template <class T = Term>
  int start(const T& args = Term(BATON_NIL)) {
    baton_message* const message = host_.message(BATON_SPAWN, args);
    const int result = behaviour_.init(host_.context(), state_, message);
    host_.context()->host->free(host_.context(), message);
    return keep(result);
  }
  template <class T>
  int call(const T& request, Pid from = FakeHost::pid(7), Ref ref = FakeHost::ref(777)) {
    host_.context()->caller = from.word;
    host_.context()->call_ref = ref.word;
    return deliver(BATON_CALL, request, from, ref);
  }
  template <class T>
  int deliver(int kind, const T& value, Pid from = FakeHost::pid(7), Ref ref = {}) {
    baton_message* const message = host_.message(kind, value, from, ref);
    host_.handling = &behaviour_;
    host_.handling_state = state_;
    const int result = behaviour_.handle(host_.context(), state_, message);
    host_.context()->host->free(host_.context(), message);
    return keep(result);
  }
  /// Goes on after BATON_AWAIT, as the host does when mail has come or the time is up.
  int resume() { return keep(behaviour_.resume(host_.context(), state_, frame_)); }
  void kill() {
    if (frame_ != nullptr) behaviour_.destroy_frame(host_.context(), frame_);
    frame_ = nullptr;
  }
  template <class S>
  S& state() {
    return *static_cast<S*>(state_);
  }
  bool is_waiting() const { return frame_ != nullptr; }

 private:
  int keep(int result) {
    frame_ = result == BATON_AWAIT ? host_.context()->frame : nullptr;
    return result;
  }

  FakeHost& host_;
  const baton_behaviour& behaviour_;
  void* state_ = nullptr;
  void* frame_ = nullptr;
};

}  // namespace baton::support
