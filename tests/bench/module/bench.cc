// bench: the process benchmarks, as a module that speaks the C ABI with term messages.
//
// Every benchmark is a process that is called with {run, N, K}, does its work with other processes
// of this module, and replies when all of it is done (baton_bench.cc does the calling and the
// clock). Messages are the ones the peers send: {Pid, ping} and pong, {msg, N}, token, and so on.
#include <baton/abi.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace {

constexpr baton_term atom(const char* text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (; *text != 0; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 1099511628211ull;
  return (hash & ~std::uint64_t{7}) | BATON_TAG_ATOM;
}
constexpr baton_term kPing = atom("ping"), kPong = atom("pong"), kStop = atom("stop"),
                     kDone = atom("done"), kMsg = atom("msg"), kToken = atom("token"),
                     kOk = atom("ok"), kIncr = atom("incr");

constexpr baton_term make_int(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 3 | BATON_TAG_INT;
}
constexpr std::int64_t int_of(baton_term t) { return static_cast<std::int64_t>(t) >> 3; }
constexpr bool is_pid(baton_term t) { return (t & 7) == BATON_TAG_PID; }
constexpr baton_term header(std::uint64_t arity) {
  return arity << 8 | BATON_KIND_TUPLE << 3 | BATON_TAG_HEADER;
}
// The elements of a tuple of that arity, or null.
inline const baton_term* tuple(baton_term t, std::uint64_t arity) {
  if ((t & 7) != BATON_TAG_BOXED || t == 0) return nullptr;
  const auto* words = reinterpret_cast<const baton_term*>(t);
  return *words == header(arity) ? words + 1 : nullptr;
}

using Context = baton_context;
using Message = baton_message;

void send_word(Context* c, baton_term to, baton_term word) {
  Message* m = c->host->alloc(c, 0);
  m->root = word;
  c->host->send(c, to, m);
}
template <class... Terms>
Message* tuple_message(Context* c, Terms... elements) {
  Message* m = c->host->alloc(c, 1 + sizeof...(elements));
  m->word[0] = header(sizeof...(elements));
  std::size_t i = 0;
  ((m->word[++i] = elements), ...);
  m->root = reinterpret_cast<baton_term>(m->word);
  return m;
}
template <class... Terms>
baton_term spawn(Context* c, const baton_behaviour& behaviour, Terms... arguments) {
  return c->host->spawn(c, &behaviour, tuple_message(c, arguments...), nullptr);
}
template <class... Terms>
baton_term spawn_linked(Context* c, const baton_behaviour& behaviour, Terms... arguments) {
  baton_spawn_options options{sizeof options, BATON_SPAWN_LINK, 0, 0};
  return c->host->spawn(c, &behaviour, tuple_message(c, arguments...), &options);
}
const baton_term* arguments(const Message* m) {
  return reinterpret_cast<const baton_term*>(m->root) + 1;
}
int fail(Context* c, const char* why) {
  const std::size_t size = std::strlen(why);
  std::memcpy(c->error.text, why, size + 1);
  c->error.length = static_cast<std::uint32_t>(size);
  return BATON_CRASH;
}

// Whom a benchmark answers, and what it was asked: {run, N, K}.
struct Run {
  baton_term caller, ref;
  std::int64_t n, k;
};
bool begin(Context* c, Run& run, const Message* m) {
  if (m == nullptr || m->kind != BATON_CALL) return false;
  const baton_term* asked = tuple(m->root, 3);
  if (asked == nullptr) return false;
  run = {c->caller, c->call_ref, int_of(asked[1]), int_of(asked[2])};
  return true;
}
void finish(Context* c, const Run& run, std::int64_t result) {
  Message* m = c->host->alloc(c, 1);
  m->root = make_int(result);
  c->host->reply(c, run.caller, run.ref, m);
}

// Turns a state type with static init and handle into a behaviour's tables.
template <class State>
struct Tables {
  static int construct(void* raw, baton_error*) { return new (raw) State{}, 0; }
  static void destroy(void* live) { static_cast<State*>(live)->~State(); }
  static int init(Context* c, void* s, const Message* m) {
    return static_cast<State*>(s)->init(c, m);
  }
  static int handle(Context* c, void* s, const Message* m) {
    return static_cast<State*>(s)->handle(c, m);
  }
  static constexpr baton_schema schema{sizeof(baton_schema),
                                       sizeof(baton_field),
                                       0,
                                       sizeof(State),
                                       alignof(State),
                                       0,
                                       "State",
                                       sizeof(State),
                                       nullptr,
                                       nullptr,
                                       construct,
                                       destroy,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr};
  static constexpr baton_behaviour behaviour(const char* name) {
    return {name, BATON_GEN_SERVER, 0, &schema, init, handle, nullptr, nullptr, nullptr};
  }
};

// ---- ping-pong, and a thousand pairs of it

struct Pong {
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    const baton_term* ping = tuple(m->root, 2);
    if (ping != nullptr && ping[1] == kPing && is_pid(ping[0])) {
      send_word(c, ping[0], kPong);
      return BATON_OK;
    }
    return m->root == kStop ? BATON_STOP : fail(c, "pong: unexpected message");
  }
};
constexpr auto kPongBehaviour = Tables<Pong>::behaviour("pong");

struct Pinger {
  baton_term peer, parent;
  std::int64_t left;
  int init(Context* c, const Message* m) {
    parent = arguments(m)[0];
    left = int_of(arguments(m)[1]);
    peer = spawn(c, kPongBehaviour);
    return ping(c);
  }
  int handle(Context* c, const Message* m) {
    if (m->root != kPong) return fail(c, "ping: unexpected message");
    if (--left > 0) return ping(c);
    send_word(c, peer, kStop);
    send_word(c, parent, kDone);
    return BATON_STOP;
  }
  int ping(Context* c) {
    c->host->send(c, peer, tuple_message(c, c->self, kPing));
    return BATON_OK;
  }
};
constexpr auto kPingerBehaviour = Tables<Pinger>::behaviour("pinger");

struct Pairs {  // {run, Rounds, Pairs}
  Run run;
  std::int64_t left;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (begin(c, run, m)) {
      left = run.k;
      for (std::int64_t i = 0; i < run.k; ++i) spawn(c, kPingerBehaviour, c->self, make_int(run.n));
      return BATON_OK;
    }
    if (m->root != kDone) return fail(c, "pairs: unexpected message");
    if (--left == 0) finish(c, run, run.k);
    return BATON_OK;
  }
};
constexpr auto kPairsBehaviour = Tables<Pairs>::behaviour("pairs");

// ---- fan-in: K senders, N messages each

struct Blaster {
  baton_term to;
  std::int64_t left;
  int init(Context* c, const Message* m) {
    to = arguments(m)[0];
    left = int_of(arguments(m)[1]);
    return blast(c);
  }
  int handle(Context* c, const Message* m) {
    return m == nullptr ? blast(c) : fail(c, "blaster: unexpected message");
  }
  int blast(Context* c) {
    constexpr int kSlice = 256;
    for (int i = 0; i < kSlice; ++i) {
      if (left == 0) return BATON_STOP;
      c->host->send(c, to, tuple_message(c, kMsg, make_int(left--)));
    }
    return BATON_YIELD;
  }
};
constexpr auto kBlasterBehaviour = Tables<Blaster>::behaviour("blaster");

struct FanIn {
  Run run;
  std::int64_t left;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (begin(c, run, m)) {
      left = run.n * run.k;
      for (std::int64_t i = 0; i < run.k; ++i)
        spawn(c, kBlasterBehaviour, c->self, make_int(run.n));
      return BATON_OK;
    }
    const baton_term* message = tuple(m->root, 2);
    if (message == nullptr || message[0] != kMsg) return fail(c, "fan_in: unexpected message");
    if (--left == 0) finish(c, run, run.n * run.k);
    return BATON_OK;
  }
};
constexpr auto kFanInBehaviour = Tables<FanIn>::behaviour("fan_in");

// ---- ring of K processes, N laps

struct Forwarder {
  baton_term next;
  int init(Context*, const Message* m) { return next = arguments(m)[0], BATON_OK; }
  int handle(Context* c, const Message* m) {
    const baton_term word = m->root;
    send_word(c, next, word);
    return word == kStop ? BATON_STOP : BATON_OK;
  }
};
constexpr auto kForwarderBehaviour = Tables<Forwarder>::behaviour("forwarder");

struct Ring {
  Run run;
  baton_term first;
  std::int64_t left;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (begin(c, run, m)) {
      first = c->self;
      left = run.n;
      for (std::int64_t i = 1; i < run.k; ++i) first = spawn(c, kForwarderBehaviour, first);
      send_word(c, first, kToken);
      return BATON_OK;
    }
    if (m->root == kStop) return finish(c, run, run.n * run.k), BATON_OK;
    send_word(c, first, --left > 0 ? kToken : kStop);
    return BATON_OK;
  }
};
constexpr auto kRingBehaviour = Tables<Ring>::behaviour("ring");

// ---- spawn, one message, exit

struct OneShot {
  int init(Context* c, const Message* m) {
    send_word(c, arguments(m)[0], kOk);
    return BATON_STOP;
  }
  int handle(Context* c, const Message*) { return fail(c, "one_shot: unexpected message"); }
};
constexpr auto kOneShotBehaviour = Tables<OneShot>::behaviour("one_shot");

struct Spawner {
  Run run;
  std::int64_t to_spawn, to_hear;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (m == nullptr) return go_on(c);
    if (begin(c, run, m)) {
      to_spawn = to_hear = run.n;
      return go_on(c);
    }
    if (m->root != kOk) return fail(c, "spawner: unexpected message");
    if (--to_hear == 0) finish(c, run, run.n);
    return BATON_OK;
  }
  int go_on(Context* c) {
    for (std::int64_t i = 0; i < run.k && to_spawn > 0; ++i, --to_spawn)
      spawn(c, kOneShotBehaviour, c->self);
    return to_spawn > 0 ? BATON_YIELD : BATON_OK;
  }
};
constexpr auto kSpawnerBehaviour = Tables<Spawner>::behaviour("spawner");

// ---- gen_server call

struct Server {
  std::int64_t value;
  int init(Context*, const Message*) { return value = 0, BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (m->kind != BATON_CALL) return m->root == kStop ? BATON_STOP : fail(c, "server: what?");
    if (m->root != kIncr) return fail(c, "server: unexpected request");
    Message* answer = c->host->alloc(c, 1);
    answer->root = make_int(++value);
    c->host->reply(c, c->caller, c->call_ref, answer);
    return BATON_OK;
  }
};
constexpr auto kServerBehaviour = Tables<Server>::behaviour("server");

struct Caller {
  Run run;
  baton_term server, ref;
  std::int64_t left;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (begin(c, run, m)) {
      left = run.n;
      server = spawn(c, kServerBehaviour);
      return ask(c);
    }
    if (m->kind != BATON_REPLY || m->word[0] != ref) return fail(c, "caller: unexpected message");
    if (--left > 0) return ask(c);
    send_word(c, server, kStop);
    finish(c, run, int_of(m->root));
    return BATON_OK;
  }
  int ask(Context* c) {
    Message* m = c->host->alloc(c, 1);
    m->root = kIncr;
    ref = c->host->call(c, server, m);
    return BATON_OK;
  }
};
constexpr auto kCallerBehaviour = Tables<Caller>::behaviour("caller");

// ---- skynet: a tree of degree ten that sums its leaves; K = 1 makes every leaf a process

struct Sky {
  baton_term parent;
  std::int64_t sum;
  int left;
  int init(Context* c, const Message* m) {
    const baton_term* a = arguments(m);
    parent = a[0];
    sum = 0;
    left = 10;
    return grow(c, int_of(a[1]), int_of(a[2]), int_of(a[3]) != 0);
  }
  int grow(Context* c, std::int64_t first, std::int64_t size, bool leaves_are_processes);
  int handle(Context* c, const Message* m) {
    sum += int_of(m->root);
    if (--left > 0) return BATON_OK;
    send_word(c, parent, make_int(sum));
    return BATON_STOP;
  }
};
constexpr auto kSkyBehaviour = Tables<Sky>::behaviour("sky");

int Sky::grow(Context* c, std::int64_t first, std::int64_t size, bool leaves_are_processes) {
  if (size == 1) {
    send_word(c, parent, make_int(first));
    return BATON_STOP;
  }
  const std::int64_t part = size / 10;
  for (std::int64_t i = 0; i < 10; ++i) {
    if (part == 1 && !leaves_are_processes)
      send_word(c, c->self, make_int(first + i));
    else
      spawn(c, kSkyBehaviour, c->self, make_int(first + i * part), make_int(part),
            make_int(leaves_are_processes));
  }
  return BATON_OK;
}

struct Skynet {  // {run, Leaves, LeavesAreProcesses}
  Run run;
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (begin(c, run, m)) {
      spawn(c, kSkyBehaviour, c->self, make_int(0), make_int(run.n), make_int(run.k));
      return BATON_OK;
    }
    finish(c, run, int_of(m->root));
    return BATON_OK;
  }
};
constexpr auto kSkynetBehaviour = Tables<Skynet>::behaviour("skynet");

// ---- idle processes, and monitor, stop, DOWN of each

struct Idle {
  std::int64_t heard;  // memory that nothing is written to would not be counted
  int init(Context*, const Message*) { return heard = 0, BATON_OK; }
  int handle(Context* c, const Message* m) {
    ++heard;
    return m->root == kStop ? BATON_STOP : fail(c, "idle: unexpected message");
  }
};
constexpr auto kIdleBehaviour = Tables<Idle>::behaviour("idle");

// A gen_server with 48 bytes of state, which tells its parent that it has started.
struct IdleServer {
  std::int64_t value[6];
  int init(Context* c, const Message* m) {
    value[0] = 1;
    c->host->send(c, arguments(m)[0], tuple_message(c, kOk, c->self));
    return BATON_OK;
  }
  int handle(Context* c, const Message* m) {
    return m->root == kStop ? BATON_STOP : fail(c, "idle_server: unexpected message");
  }
};
constexpr auto kIdleServerBehaviour = Tables<IdleServer>::behaviour("idle_server");

// {run, N, 0}: N idle processes; {run, N, 1}: N gen_servers, linked, and each started before the
// next, as start_link does it; {run, 0, 0} when there are idle processes: monitor, stop and await
// the DOWN of each in turn.
struct Idlers {
  Run run;
  baton_term* pids;
  std::int64_t count, at;
  baton_term monitor;
  ~Idlers() { delete[] pids; }
  int init(Context*, const Message*) { return BATON_OK; }
  int handle(Context* c, const Message* m) {
    if (m == nullptr) return spawn_some(c);
    if (begin(c, run, m)) {
      at = 0;
      if (run.n == 0) return stop_next(c);
      count = run.n;
      delete[] pids;
      pids = new baton_term[static_cast<std::size_t>(count)];
      return run.k == 0 ? spawn_some(c) : start_next(c);
    }
    if (const baton_term* started = tuple(m->root, 2); started != nullptr && started[0] == kOk) {
      if (started[1] != pids[at]) return fail(c, "idlers: another server has started");
      return ++at == count ? done(c) : start_next(c);
    }
    if (m->kind != BATON_DOWN || m->word[0] != monitor)
      return fail(c, "idlers: unexpected message");
    return ++at == count ? done(c) : stop_next(c);
  }
  int spawn_some(Context* c) {
    constexpr int kSlice = 200;
    for (int i = 0; i < kSlice && at < count; ++i, ++at) pids[at] = spawn(c, kIdleBehaviour);
    return at < count ? BATON_YIELD : done(c);
  }
  int start_next(Context* c) {
    pids[at] = spawn_linked(c, kIdleServerBehaviour, c->self);
    return BATON_OK;
  }
  int stop_next(Context* c) {
    monitor = c->host->monitor(c, pids[at]);
    send_word(c, pids[at], kStop);
    return BATON_OK;
  }
  int done(Context* c) { return finish(c, run, count), BATON_OK; }
};
constexpr auto kIdlersBehaviour = Tables<Idlers>::behaviour("idlers");

constexpr baton_behaviour kBehaviours[] = {
    kPairsBehaviour,  kFanInBehaviour,   kRingBehaviour,      kSpawnerBehaviour,
    kCallerBehaviour, kSkynetBehaviour,  kIdlersBehaviour,    kPongBehaviour,
    kPingerBehaviour, kBlasterBehaviour, kForwarderBehaviour, kOneShotBehaviour,
    kServerBehaviour, kSkyBehaviour,     kIdleBehaviour,      kIdleServerBehaviour};

constexpr baton_module kModule{sizeof(baton_module),
                               BATON_ABI_MAJOR,
                               BATON_ABI_MINOR,
                               "bench",
                               "1.0.0",
                               "bench",
                               sizeof kBehaviours / sizeof *kBehaviours,
                               sizeof(baton_behaviour),
                               kBehaviours,
                               nullptr,
                               nullptr};

// The states are never taken over, so that their fingerprints are just their sizes.
static_assert(sizeof(Pairs) == 40 && alignof(Pairs) == 8);
static_assert(sizeof(FanIn) == 40 && alignof(FanIn) == 8);
static_assert(sizeof(Ring) == 48 && alignof(Ring) == 8);
static_assert(sizeof(Spawner) == 48 && alignof(Spawner) == 8);
static_assert(sizeof(Caller) == 56 && alignof(Caller) == 8);
static_assert(sizeof(Skynet) == 32 && alignof(Skynet) == 8);
static_assert(sizeof(Idlers) == 64 && alignof(Idlers) == 8);
static_assert(sizeof(Pong) == 1 && alignof(Pong) == 1);
static_assert(sizeof(Pinger) == 24 && alignof(Pinger) == 8);
static_assert(sizeof(Blaster) == 16 && alignof(Blaster) == 8);
static_assert(sizeof(Forwarder) == 8 && alignof(Forwarder) == 8);
static_assert(sizeof(OneShot) == 1 && alignof(OneShot) == 1);
static_assert(sizeof(Server) == 8 && alignof(Server) == 8);
static_assert(sizeof(Sky) == 24 && alignof(Sky) == 8);
static_assert(sizeof(Idle) == 8 && alignof(Idle) == 8);
static_assert(sizeof(IdleServer) == 48 && alignof(IdleServer) == 8);

}  // namespace

BATON_NOTE(
    "baton-note 1\nmodule bench\nversion 1.0.0\nabi 1.2\nbuild bench\n"
    "atoms ping pong stop done msg token ok incr run\n"
    "behaviour pairs gen_server\nschema State 0000000000000028 40 8 0 none\n"
    "behaviour fan_in gen_server\nschema State 0000000000000028 40 8 0 none\n"
    "behaviour ring gen_server\nschema State 0000000000000030 48 8 0 none\n"
    "behaviour spawner gen_server\nschema State 0000000000000030 48 8 0 none\n"
    "behaviour caller gen_server\nschema State 0000000000000038 56 8 0 none\n"
    "behaviour skynet gen_server\nschema State 0000000000000020 32 8 0 none\n"
    "behaviour idlers gen_server\nschema State 0000000000000040 64 8 0 none\n"
    "behaviour pong gen_server\nschema State 0000000000000001 1 1 0 none\n"
    "behaviour pinger gen_server\nschema State 0000000000000018 24 8 0 none\n"
    "behaviour blaster gen_server\nschema State 0000000000000010 16 8 0 none\n"
    "behaviour forwarder gen_server\nschema State 0000000000000008 8 8 0 none\n"
    "behaviour one_shot gen_server\nschema State 0000000000000001 1 1 0 none\n"
    "behaviour server gen_server\nschema State 0000000000000008 8 8 0 none\n"
    "behaviour sky gen_server\nschema State 0000000000000018 24 8 0 none\n"
    "behaviour idle gen_server\nschema State 0000000000000008 8 8 0 none\n"
    "behaviour idle_server gen_server\nschema State 0000000000000030 48 8 0 none\n");

extern "C" __attribute__((visibility("default"))) const baton_module* baton_module_entry(void) {
  return &kModule;
}
