"""Chaos: rounds in which at random everything happens to a host that it has to survive; tools/chaos --help says what."""

import argparse
import collections
import contextlib
import hashlib
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

from mischief import ENDS, OPERATOR, READS, WRONGS
from node import MODULES, Client, Node, run_baton
from running import ROOT, Failed, Running, build, free_ports, say
from small_disk import NoDisk, SmallDisk
import truth

CONNECTIONS = 4  # of the checking client, to each service
KEYS = 4000
DISK = "32m"
CONNECTIONS_MAX = 40
OPERATORS = 3
READERS = 3
READ_SECONDS = 0.01
SETTLE_SECONDS = 20
# What clients and checks leave behind is closed in this time.
CLOSE_SECONDS = 5
WARM_UP_ROUNDS = 20
GROWTH_BYTES_MAX = 50_000
# Of the lives of a host, one after the other: rounds at least and at most.
LIVES = ((2, 5), (45, 70))
# Of a life: each takes a processor for as long as the host lives.
ENDLESS_MAX = 1
# What an operator's command may end with. One more where the host is hindered: it failed, and nothing changed.
ANSWERS = {0, 2, 4, 6, 7, 9, 10}
HINDERED = {1, 3, 8}
CONFIGURATION = "net: {memory_max: 24MiB}\ntake_over: {budget: 1500ms}\n"

RELEASE = """\
name: demo
version: {number}.{kind}.0
sequence: {number}
modules:
{modules}
applications:
  - name: kv
    env: {{listener: kv}}
    supervisor:
      {restarts}
      children: [{{id: kv, module: kv, behaviour: kv}}]
  - name: web
    env: {{listener: web}}
    supervisor:
      {restarts}
      strategy: rest_for_one
      children: [{{id: desk, module: web, behaviour: desk}}, {{id: front, module: web, behaviour: front}}]
  - name: mayhem
    supervisor:
      {restarts}
      children: [{{id: mayhem, module: mayhem, behaviour: mayhem}}{child}]
listeners:
  - {{name: kv, protocol: tcp, address: "127.0.0.1:{kv}", connections_max: {connections}}}
  - {{name: web, protocol: http, address: "127.0.0.1:{web}", connections_max: {connections}}}
probation:
  duration: 1s
  crash_rate: {{max: 4, per: 5s}}
  health:
    - {{listener: web, path: /health, interval: 100ms, timeout: 1s, failures: 3}}
    - {{listener: kv, interval: 100ms, timeout: 1s, failures: 3}}
"""
# The modules of each kind of release. A release's version is NUMBER.KIND.0: each is published anew, as a host takes none
# that is older than what it has seen.
KINDS = (
    {"kv": "1.0.0", "web": "1.0.0", "mayhem": "1.0.0"},
    {"kv": "1.1.0", "web": "1.1.0", "mayhem": "1.1.0"},
    {"kv": "1.1.0", "web": "1.2.0", "mayhem": "1.1.0"},  # bad: serves errors, and crashes
    {"kv": "1.2.0", "web": "1.1.0", "mayhem": "1.1.0"},
    {"kv": "1.1.0", "web": "1.1.0", "mayhem": "1.1.0", "factorial": "1.0.0"},
)
BAD = 2
PUBLISHED_KEPT = 24
RELEASES_MAX = 30


def kind_of(version):
    return int(version.split(".")[1])


def description(number, kind, ports):
    modules = "\n".join(f"  - {{name: {name}, version: {of}}}" for name, of in KINDS[kind].items())
    child = ", {id: factorial, module: factorial, behaviour: factorial}" if "factorial" in KINDS[kind] else ""
    return RELEASE.format(number=number, kind=kind, modules=modules, child=child, connections=CONNECTIONS_MAX,
                          restarts="intensity: 100000\n      period: 1s", **ports)


def stored(module, version):
    """Where the store of a host has this module's library, from its folder on."""
    with open(os.path.join(MODULES, module, version, module + ".so"), "rb") as library:
        return os.path.join("store", hashlib.sha256(library.read()).hexdigest(), "module.so")


def is_cut(stranger):
    """Whether the host has ended his connection."""
    try:
        while stranger.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


class World:
    """The host, its clients, and what has happened to them in this round."""

    def __init__(self, running, seed, verbose):
        kv, web = free_ports(2)
        self.running = running
        self.seed = seed
        self.verbose = verbose
        self.ports = {"kv": kv, "web": web}
        self.node = Node(running, self.ports)
        self.publishing = threading.Lock()
        self.published = []  # the versions and bundles of the last releases, the newest last
        self.sequence = 0
        self.kinds = len(KINDS)
        self.configuration = running.path("batond.yaml")
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION)
        self.disk = None
        self.client = None
        self.number = 0
        self.answers = collections.Counter()
        self.counts = collections.Counter()
        self.happened = []  # in this round
        self.wrong = []     # in this round
        self.is_hindered = False
        self.is_ended = False
        self.recorded = 0  # bytes of the journal when the round began
        self.strangers = []    # in this round
        self.turned_away = []  # of them
        self.descriptors_lock = threading.Lock()  # of whoever lets them run out
        self.endless_left = ENDLESS_MAX  # that this life of the host may see
        self.endless = {}                # of this life, by the process: its module and version
        self.ending = set()              # of these processes, those that were killed

    def dice(self, *what):
        """Of this round, for one purpose."""
        return random.Random(f"{self.seed}/{self.number}/{'/'.join(map(str, what))}")

    def publish(self, kind):
        """A new release: its version and bundle."""
        with self.publishing:
            self.sequence += 1
            bundle = self.node.packer.pack(description(self.sequence, kind, self.ports))
            release = (f"{self.sequence}.{kind}.0", bundle)
            self.published.append(release)
            for _, old in self.published[:-PUBLISHED_KEPT]:
                os.remove(old)
            del self.published[:-PUBLISHED_KEPT]
            return release

    @staticmethod
    def is_bad(version):
        return kind_of(version) == BAD

    def runs_bad(self):
        release = self.status()["release"]
        return release is not None and self.is_bad(release["version"])

    def journal(self):
        with open(os.path.join(self.node.root, "journal"), errors="replace") as file:
            return file.read()

    def kinds_run(self):
        """Of the releases that ran in this round, if only for a moment."""
        journal = self.journal()
        new = journal[self.recorded:] if len(journal) >= self.recorded else journal
        return {kind_of(version) for version in (self.runs_at_start, *re.findall(r" to=demo-(\S+)", new))}

    def note(self, text):
        self.happened.append(text)

    # ---- What is asked of the host

    def operate(self, *words):
        """A command of an operator; what it ends with has to be an answer."""
        done = run_baton("--root", self.node.root, *words)
        shown = " ".join(word if len(word) < 60 else word[:40] + "..." for word in words)
        said = done.stderr.strip().splitlines()[-1:] if done.returncode else []
        self.note(f"{shown}: {done.returncode} {''.join(said)[:200]}")
        self.answers[words[0], done.returncode] += 1
        if done.returncode not in ANSWERS and not (self.is_hindered and done.returncode in HINDERED):
            self.wrong.append(f"baton {shown} ended with status {done.returncode}: {''.join(said)}")
        return done

    def ask(self, verb, arguments, seconds=10):
        """The data of what the administration answers, or its error's code."""
        body = json.dumps(arguments).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(os.path.join(self.node.root, "batond.sock"))
            connection.sendall(f"POST /v1/{verb} HTTP/1.1\r\nHost: chaos\r\nContent-Length: {len(body)}\r\n"
                               "Connection: close\r\n\r\n".encode() + body)
            received = b""
            while chunk := connection.recv(1 << 16):
                received += chunk
        answer = json.loads(received.partition(b"\r\n\r\n")[2])
        return answer["data"] if answer["ok"] else answer["error"]["code"]

    def status(self):
        status = self.ask("status", {})
        if not isinstance(status, dict):
            raise Failed(f"status is refused: {status}")
        return status

    def kill(self, behaviour):
        for process in self.processes():
            if process["behaviour"] == behaviour:
                self.operate("kill", process["pid"])

    def find_endless(self):
        """Remembers the callbacks that do not return, as the host names them, and kills their processes. Whether one of
        them is not dead yet."""
        named = truth.endless_in(self.modules())
        self.wrong += [f"{pid} of {module} {version}, which never returns, is not named any more"
                       for pid, (module, version) in self.endless.items() if pid not in named]
        self.endless |= named
        alive = {process["pid"] for process in self.processes()} & set(named)
        for pid in alive - self.ending:
            self.operate("kill", pid)
        self.ending |= alive
        return bool(alive)

    def modules(self):
        shown = self.ask("modules", {})
        if isinstance(shown, str):
            raise Failed(f"modules is refused: {shown}")
        return shown

    def pinned(self):
        """Whose libraries stay mapped for their endless callbacks."""
        return [f"{each['module']} {each['version']}" for each in self.modules()
                if each["status"] == "pinned" and truth.endless_in([each])]

    def processes(self):
        shown = self.ask("ps", {"limit": 1000})
        # Not those that are dead to everybody, and shown for what is inside.
        return [each for each in shown["processes"] if not each["abandoned"]] if isinstance(shown, dict) else []

    def read(self, is_over, dice):
        """Until it is over, reads all there is to read."""
        while not is_over.is_set():
            verb, arguments = dice.choice(READS)
            try:
                answer = self.ask(verb, arguments)
                if isinstance(answer, str) and answer not in ("not_found", "timed_out", "busy") and not self.is_hindered:
                    self.wrong.append(f"{verb} {arguments} is answered with {answer}")
            except (OSError, ValueError, KeyError) as error:
                if not self.is_hindered:
                    self.wrong.append(f"{verb} {arguments} is not answered: {error!r}")
                time.sleep(0.05)
            self.counts["reads"] += 1
            time.sleep(READ_SECONDS)

    # ---- A life

    def start_host(self):
        self.endless_left = ENDLESS_MAX
        self.endless.clear()
        self.ending.clear()
        self.node.start("--config", self.configuration)

    def start_client(self):
        self.client = Client(self.running, "--kv", f"127.0.0.1:{self.ports['kv']}", "--web",
                             f"127.0.0.1:{self.ports['web']}", "--kv-connections", str(CONNECTIONS),
                             "--web-connections", str(CONNECTIONS), "--kv-rate", "400", "--web-rate", "60",
                             "--keys", str(KEYS), "--seed", str(self.dice("client").randrange(1 << 30)))
        self.client.hear("loaded")

    def counted(self):
        """Connections that the limits of listeners have cut, and those that may have been cut for memory."""
        listeners = self.status()["listeners"]
        return [sum(each[name] for each in listeners for name in names)
                for names in (("refused", "shed", "timeouts"), ("memory_refused",))]

    def stranger(self, listener):
        """A connection that lasts until the end of the round; OSError if there is none."""
        stranger = socket.socket()
        stranger.settimeout(1)
        self.strangers.append(stranger)
        try:
            stranger.connect(("127.0.0.1", self.ports[listener]))
        except ConnectionError:
            # Accepted and closed before we could look.
            self.turned_away.append(stranger)
            raise
        stranger.setblocking(False)
        return stranger

    # ---- A round

    def round(self, is_last):
        self.number += 1
        self.happened, self.wrong = [], []
        cut_before = self.counted()
        self.recorded = len(self.journal())
        self.runs_at_start = truth.running_of(truth.statuses_of(self.journal()))
        dice = self.dice()
        wrongs = dice.choices(WRONGS, [each.weight for each in WRONGS], k=dice.randrange(3))
        if is_last:
            wrongs += dice.choices(ENDS, [each.weight for each in ENDS])
        self.is_ended = any(each.is_end for each in wrongs)
        self.is_hindered = self.is_ended or any(each.hinders for each in wrongs)
        takes = {taken for each in wrongs for taken in each.takes}
        is_over = threading.Event()
        try:
            readers = [self.thread(self.read, is_over, self.dice("reader", i)) for i in range(READERS)]
            wrong_doers = [self.thread(self.do_wrong, each, self.dice("wrong", i)) for i, each in enumerate(wrongs)]
            operators = [self.thread(self.operator, self.dice("operator", i)) for i in range(OPERATORS)]
            self.await_all(wrong_doers)
            self.let_go()
            # Operators may wait for each other: the last one decides.
            self.settle(operators)
        finally:
            is_over.set()
        self.await_all(readers)
        self.is_hindered = False
        self.wait_for_truth()
        dropped = self.check_clients(takes, may_cut=any(each.fills for each in wrongs))
        if not takes:
            self.check_cut(dropped, cut_before)
        for each in self.strangers:
            each.close()
        self.strangers.clear()
        self.turned_away.clear()
        for each in wrongs:
            self.counts[each.act.__name__] += 1
        if self.verbose or self.wrong:
            say(f"chaos: round {self.number}: " + "\n    ".join([f"{[each.act.__name__ for each in wrongs]}",
                                                                *self.happened]))

    def guarded(self, act):
        """What a thread does: that the host is gone counts where it may be."""
        try:
            act()
        except (Failed, OSError, ValueError) as error:
            if not self.is_hindered:
                self.wrong.append(repr(error))
        except Exception as error:  # whatever it is, it must not be lost with the thread
            self.wrong.append(repr(error))

    def operator(self, dice):
        def act():
            for _ in range(dice.randrange(1, 4)):
                time.sleep(dice.random() * 0.3)
                do = dice.choices(list(OPERATOR), list(OPERATOR.values()))[0]
                self.operate(*do(self, dice))

        self.guarded(act)

    def do_wrong(self, wrong, dice):
        def act():
            time.sleep(dice.random() * 0.5)
            self.note(wrong.act.__name__)
            wrong.act(self, dice)

        self.guarded(act)

    @staticmethod
    def thread(act, *arguments):
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def await_all(threads):
        deadline = time.monotonic() + SETTLE_SECONDS
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))
            if thread.is_alive():
                raise Failed(f"not within {SETTLE_SECONDS} s: {thread} is at its end")

    def let_go(self):
        """What went wrong is over."""
        if self.disk:
            self.disk.free()
        if self.is_ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.node.process.wait(2)
            # A fault may have come to a mayhem that was suspended, or that was just killed.
            self.node.kill()
            self.start_host()
        elif self.node.process.poll() is not None:
            raise Failed(f"the host ended with status {self.node.process.returncode}: {self.node.last_words()}")

    def settle(self, operators):
        """Ends what is under way."""
        self.find_endless()
        self.operate("resume", "mayhem")
        self.operate("cast", "mayhem", "{hook,0,false}")
        dice = self.dice("settle")
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            # A detached command has ended before what it asked for.
            is_over = not any(each.is_alive() for each in operators) and not self.find_endless() and all(
                each["done"] for each in self.ask("operations", {}))
            status = self.status()
            if status["upgrade"]:
                is_bad = self.is_bad(status["upgrade"]["to"].split("-")[1])
                goes_back = (is_bad or dice.random() < 0.5) and self.operate("rollback", "--accept-loss").returncode != 6
                if not goes_back:
                    self.operate("release", "make-permanent")
            elif is_over:
                break
            if time.monotonic() > deadline:
                raise Failed(f"not within {SETTLE_SECONDS} s: an upgrade is at its end; {status['upgrade']}")
            time.sleep(0.05)
        for each in self.ask("releases", {})[:-RELEASES_MAX]:
            self.operate("release", "remove", "demo", each["version"])

    def wait_for_truth(self):
        deadline = time.monotonic() + SETTLE_SECONDS
        while differences := self.differences():
            if time.monotonic() > deadline:
                self.wrong += differences
                break
            time.sleep(0.05)

    def differences(self):
        """In what that which runs, what is listed and what the journal says differ."""
        recorded = truth.statuses_of(self.journal())
        listed = {each["version"]: each["status"] for each in self.ask("releases", {})}
        if listed != recorded:
            return [f"listed are {listed}, the journal says {recorded}"]
        runs = truth.running_of(recorded)
        status = self.status()
        named = (status["release"] or {}).get("version")
        if named != runs:
            return [f"status names {named}, the journal {runs}"]
        expected = {f"{name} {version}": 1 for name, version in KINDS[kind_of(runs)].items()}
        modules, pinned = self.modules(), self.pinned()
        loaded = {name: 1 for each in modules if (name := f"{each['module']} {each['version']}") not in pinned}
        found = {f"{each['module']} {each['version']}": 1 for each in self.processes() if each["version"] != "host"}
        return truth.unequal("modules loaded", expected, loaded) + truth.unequal("modules run", expected, found)

    def check_clients(self, takes, may_cut):
        """What the checking client saw; how many of its connections were cut."""
        may_fail = "answers" in takes or BAD in self.kinds_run()
        if "kv" in takes or "web" in takes:
            report = self.client.end() if self.client.process.poll() is None else self.client.hear("end")
            seen = report["steps"][-1]
        else:
            self.client.verify()
            seen = self.client.mark(f"round {self.number + 1}")
        for service in ("kv", "web"):
            self.counts["requests"] += seen[service]["requests"]
            dropped, lost, failed = (seen[service][name] for name in ("dropped", "lost", "failed"))
            if service in takes:
                if dropped != CONNECTIONS:
                    self.wrong.append(f"{dropped} connections to {service} cut, expected {CONNECTIONS}")
                continue
            if dropped and not may_cut:
                self.wrong.append(f"{dropped} connections to {service} cut")
            if lost and not (service == "web" and "orders" in takes):
                self.wrong.append(f"{lost} things lost in {service}")
            if failed and not dropped and not (service == "web" and may_fail):
                self.wrong.append(f"{failed} requests to {service} failed")
        dropped = sum(seen[service]["dropped"] for service in ("kv", "web"))
        if dropped:
            self.running.stop(self.client.process)
            self.start_client()
        return dropped

    def check_cut(self, dropped, before):
        """Every connection that was cut is counted by a limit."""
        deadline = time.monotonic() + 3
        while True:
            cut = dropped + sum(each in self.turned_away or is_cut(each) for each in self.strangers)
            by_limits, for_memory = [now - then for now, then in zip(self.counted(), before)]
            if by_limits <= cut <= by_limits + for_memory:
                return
            if time.monotonic() > deadline:
                self.wrong.append(f"{cut} connections cut, {by_limits} for limits and up to {for_memory} for memory")
                return
            time.sleep(0.1)

    # ---- What must not grow

    @staticmethod
    def tcp_sockets():
        """The inodes of this machine's."""
        with open("/proc/net/tcp") as table:
            return {line.split()[9] for line in table}

    def figures(self):
        """Of the settled host: descriptors by kind, mapped files, and resident bytes."""
        pid = self.node.process.pid
        descriptors = collections.Counter()
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{pid}/fd/{number}")
                is_tcp = target.removeprefix("socket:[")[:-1] in self.tcp_sockets()
                descriptors[os.path.basename(target) if not target.startswith("socket:") else
                            "tcp" if is_tcp else "unix"] += 1
        descriptors["tcp"] -= sum(each["open"] for each in self.status()["listeners"])
        mapped = collections.Counter()
        with open(f"/proc/{pid}/maps") as maps:
            for line in maps:
                path = line.split(maxsplit=5)[5].strip() if len(line.split(maxsplit=5)) > 5 else ""
                mapped[path if path.startswith("/") else "memory"] += 1
        with open(f"/proc/{pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        return descriptors, mapped, resident


class Life:
    """From a start of the host to its kill: what must not grow in it."""

    def __init__(self):
        self.rounds = 0
        self.first = {}  # by release: descriptors and mappings after the warm-up
        self.resident = []

    def note(self, world):
        self.rounds += 1
        if self.rounds <= WARM_UP_ROUNDS:
            return
        kind = kind_of(world.status()["release"]["version"])
        deadline = time.monotonic() + CLOSE_SECONDS
        before = None
        while True:
            descriptors, mapped, resident = world.figures()
            memory = mapped.pop("memory")
            # What is mapped for a callback that never returns is no growth: the host has named it.
            for name in world.pinned():
                for path in [path for path in mapped if path.endswith(stored(*name.split()))]:
                    del mapped[path]
                    descriptors["module.so"] -= 1
            libraries = sum(name.endswith("/module.so") for name in mapped)
            # What is the first of its kind must be the same twice.
            expected = self.first.get(kind, before)
            wrong = [f"{libraries} libraries are mapped, expected {len(KINDS[kind])}"] * (libraries != len(KINDS[kind]))
            if expected:
                wrong += truth.unequal("descriptors", expected[0], descriptors)
                wrong += truth.unequal("mappings", expected[1], mapped)
            if expected and not wrong or time.monotonic() > deadline:
                break
            before = descriptors, mapped
            time.sleep(0.3)
        self.first.setdefault(kind, (descriptors, mapped))
        world.wrong += wrong
        self.resident.append(resident)
        if world.verbose:
            say(f"chaos: kind {kind}: {sum(descriptors.values())} descriptors, {sum(mapped.values())} + {memory} mappings, "
                f"{resident >> 10} KiB")

    def end(self):
        """What grew too much; and says by how much it grew."""
        if len(self.resident) < WARM_UP_ROUNDS:
            return []
        grows = truth.growth(self.resident)
        say(f"chaos: a life of {self.rounds} rounds: resident memory grew by {grows / 1000:.1f} KB a round, "
            f"to {self.resident[-1] >> 20} MiB")
        if grows <= GROWTH_BYTES_MAX:
            return []
        return [f"resident memory grew by {grows / 1000:.0f} KB a round: {[each >> 10 for each in self.resident]} KiB"]


def run(world, minutes):
    """What was wrong, a line each."""
    wrong = []
    world.start_host()
    world.node.must("upgrade", world.publish(0)[1], "--probation", "0s")
    world.start_client()
    end = time.monotonic() + 60 * minutes
    lives = 0
    while time.monotonic() < end and not wrong:
        least, most = LIVES[lives % len(LIVES)]
        rounds = world.dice("life").randrange(least, most + 1)
        life = Life()
        for left in reversed(range(rounds)):
            if time.monotonic() >= end:
                break
            world.round(is_last=left == 0)
            if left > 0:
                life.note(world)
            wrong += [f"round {world.number}: {line}" for line in world.wrong]
            if wrong:
                break
        wrong += life.end()
        lives += 1
    world.client.end()
    return wrong


def main():
    # What the options mean stands in tools/chaos, which shows it without Python.
    parser = argparse.ArgumentParser(prog="tools/chaos", add_help=False)
    parser.add_argument("--minutes", type=float, default=1, metavar="N")
    parser.add_argument("--seed", type=int, default=None, metavar="S")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    if not 0 < given.minutes <= 24 * 60:
        parser.error("--minutes takes a number above 0, of at most a day")
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    world = None
    modules = sorted({f"module_{name}_{version}" for each in KINDS for name, version in each.items()})
    try:
        build("chaos", ["batond", "baton", "verifying_client", *modules])
        say(f"chaos: seed {seed}")
        with Running("chaos") as running, contextlib.ExitStack() as stack:
            world = World(running, seed, given.verbose)
            try:
                world.disk = stack.enter_context(SmallDisk(world.node.root, DISK))
                world.node.must("key", "trust", world.node.packer.key + ".pub")
            except NoDisk as error:
                say(f"chaos: left out: a full disk: {error}")
            wrong = run(world, given.minutes)
            stack.callback(world.node.stop)
            if wrong:
                say(world.node.last_words())
    except (Failed, OSError) as failure:
        say(f"chaos: seed {seed}, round {world.number if world else 0}: {failure!r}")
        for line in world.happened if world else ():
            say(f"    {line}")
        return 1
    except KeyboardInterrupt:
        say("chaos: interrupted")
        return 130
    say(f"chaos: {world.number} rounds, seed {seed}: " +
        ", ".join(f"{count} {name}" for name, count in sorted(world.counts.items())))
    say("chaos: " + ", ".join(f"{verb} {status}: {count}" for (verb, status), count in sorted(world.answers.items())))
    for line in wrong:
        print(f"FAILED: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
