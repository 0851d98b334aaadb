"""Mischief: what tools/chaos lets happen to a host, a row each of two tables: what operators do, and what goes wrong.

Each is a function of the world (tools/chaos.py) and of dice of its own, so that a seed makes the same choices whatever
the threads do. A row of WRONGS says what it takes from clients: their keys and connections are lost then, and only then.
"""

import collections
import contextlib
import os
import resource
import signal
import time

# How long a wrong lasts that has to be undone.
WHILE_SECONDS = 0.6
CROWD = 60
DEEP_MAX = 400


# ---- What operators do

def upgrade(world, dice):
    version, bundle = _release(world, dice)
    words = ["upgrade", bundle, "--probation", _probation(world, dice, version)]
    return words + [option for option in ("--detach", "--accept-loss", "--no-auto-rollback") if dice.random() < 0.3]


def install(world, dice):
    version = _release(world, dice)[0]
    return ["release", "install", "demo", version, "--probation", _probation(world, dice, version)]


def rollback(world, dice):
    words = ["rollback"] + [_release(world, dice)[0]] * (dice.random() < 0.5)
    return words + ["--accept-loss"] * (dice.random() < 0.7)


def make_permanent(world, dice):
    return ["release", "make-permanent"] if not world.runs_bad() else ["rollback"]


def remove(world, dice):
    return ["release", "remove", "demo", _release(world, dice)[0]]


def unpack(world, dice):
    return ["release", "unpack", _release(world, dice)[1]]


def plan(world, dice):
    return ["plan", _release(world, dice)[1]]


def _release(world, dice):
    """A new release, or one of the last: its version and bundle. The host need not have it."""
    kind, back = dice.randrange(world.kinds), dice.randrange(1, 10)
    return world.published[-back] if back < len(world.published) and back < 6 else world.publish(kind)


def _probation(world, dice, version):
    """The bad release is not made permanent: no way leads on from it."""
    return "30s" if world.is_bad(version) else dice.choice(("0s", "200ms", "1s", "30s"))


def purge(_, dice):
    return ["purge"]


def suspend(_, dice):
    return ["suspend", "mayhem"]


def resume(_, dice):
    return ["resume", "mayhem"]


def stop(_, dice):
    return ["stop", "mayhem"]


OPERATOR = {upgrade: 10, rollback: 6, make_permanent: 4, install: 4, remove: 3, unpack: 3, plan: 3, purge: 1, suspend: 1,
            resume: 1, stop: 1}
READS = (("status", {}), ("modules", {}), ("ps", {}), ("tree", {}), ("releases", {}), ("operations", {}),
         ("state", {"process": "desk", "timeout_ms": 500}), ("state", {"process": "mayhem", "timeout_ms": 500}),
         ("info", {"process": "desk"}))


# ---- What goes wrong

def crash(world, dice):
    for _ in range(dice.randrange(1, 8)):
        world.operate("cast", "mayhem", "crash")


def slow_hook(world, dice):
    world.operate("cast", "mayhem", "{hook,%d,false}" % dice.choice((20, 200, 700, 3000)))


def failing_hook(world, dice):
    world.operate("cast", "mayhem", "{hook,0,true}")


def deep_terms(world, dice):
    depth = dice.randrange(30, DEEP_MAX)
    for opening, closing in (("[", "]"), ("{", "}"), ("#{a=>", "}")):
        deep = opening * depth + "0" + closing * depth
        world.operate("call", "mayhem", "{echo," + deep + "}", "--timeout-ms", "1000")
        world.operate("send", "mayhem", deep)


def fault(world, dice):
    world.operate("cast", "mayhem", "fault")


def endless_loop(world, dice):
    """A callback that never returns; whoever settles the round finds it and kills its process."""
    if world.endless_left > 0:
        world.endless_left -= 1
        world.operate("cast", "mayhem", "endless")


def kill_of(behaviour):
    def kill(world, dice):
        world.kill(behaviour)

    kill.__name__ = f"kill_{behaviour}"
    return kill


def kill_host(world, dice):
    world.node.process.send_signal(signal.SIGKILL)


def full_disk(world, dice):
    if world.disk:
        world.disk.fill()


def no_descriptors(world, dice):
    """For a while the host has no more than it uses."""
    pid = world.node.process.pid
    # One at a time: the second would take the first one's limit for what the host has.
    with world.descriptors_lock, contextlib.suppress(ProcessLookupError, FileNotFoundError):
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
        try:
            crowd(world, dice)
            time.sleep(WHILE_SECONDS)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def crowd(world, dice):
    """More strangers than a listener takes, who say nothing."""
    _strangers(world, dice.choice(("kv", "web")), CROWD, b"")


def hogs(world, dice):
    """Strangers who hold memory: large commands without their ends."""
    size = dice.randrange(1 << 20, 16 << 20)
    _strangers(world, "kv", 8, b"*3\r\n$3\r\nSET\r\n$6\r\nhogged\r\n$%d\r\n" % size + bytes(size - 1))


def expiring(world, dice):
    """A key that 1.0.0 cannot hold, and a list that 1.1.0 cannot."""
    _strangers(world, "kv", 1, b"SET brief 1 EX 1000\r\nRPUSH things a b\r\n")


def _strangers(world, listener, count, said):
    """They stay until the end of the round."""
    left = {}
    for _ in range(count):
        with contextlib.suppress(OSError):
            left[world.stranger(listener)] = said
    end = time.monotonic() + WHILE_SECONDS
    while any(left.values()) and time.monotonic() < end:
        for each, rest in left.items():
            try:
                left[each] = rest[each.send(rest):] if rest else rest
            except BlockingIOError:
                continue
            except OSError:
                left[each] = b""
        time.sleep(0.01)


# What it does; how often; what it takes: "kv" and "web" from the clients of these, "orders" those of web but not their
# connections, "answers" single answers of web; whether the host is gone for a while, or cannot do all it is asked, or may
# have to close connections, whose it may be, by its limits.
Wrong = collections.namedtuple("Wrong", "act weight takes is_end hinders fills", defaults=((), False, False, False))
WRONGS = (
    Wrong(crash, 4),
    Wrong(slow_hook, 3, hinders=True),
    Wrong(failing_hook, 3, hinders=True),
    Wrong(deep_terms, 3),
    Wrong(endless_loop, 3),
    Wrong(kill_of("mayhem"), 3),
    Wrong(kill_of("front"), 2, takes=("answers",)),
    Wrong(kill_of("desk"), 2, takes=("answers", "orders")),
    Wrong(kill_of("kv"), 1, takes=("kv",)),
    Wrong(crowd, 3, fills=True),
    Wrong(hogs, 2, fills=True),
    Wrong(expiring, 3),
    Wrong(no_descriptors, 2, hinders=True, fills=True),
    Wrong(full_disk, 3, hinders=True),
)
# What ends a life of the host.
ENDS = (
    Wrong(kill_host, 3, takes=("kv", "web"), is_end=True),
    Wrong(fault, 1, takes=("kv", "web"), is_end=True),
)
