"""Sides: the programs that tools/bench runs against each other, ours and the peers'.

A suite is a list of sides. A side is started once, run as often as asked, and stopped with everything else
that was started. All its runs give figures of the same names. Peers that are not installed are left out.
"""

import glob
import os
import shutil
import subprocess
import time

import figures
from node import Client, Node
from running import BUILD, ROOT, Failed, free_ports, output_of, say

PEERS = os.path.join(ROOT, "tests", "bench", "peers")
COWBOY = os.path.join(ROOT, "out", "peers", "cowboy")

# Take-overs that are measured: processes, idle processes beside them, modules replaced together, mode.
TAKEOVERS = [(100000, 0, 1, "atomic"), (100000, 1000000, 1, "atomic")]
WRK = ["wrk", "-t1", "-c64", "-d5s", "--latency"]
# Pipelining and number of requests of redis-benchmark.
KV_LOADS = [(1, 300000), (16, 1000000)]
KV_KEYS = 1000000


class Side:
    """One side of a suite. `name` is "baton" or the peer's."""

    name = "baton"

    def __init__(self, running):
        self.running = running

    def is_installed(self):
        return True

    def start(self):
        """What is done once, before the first run."""

    def run(self):
        """One run's figures."""
        raise NotImplementedError


def peer_file(*parts):
    return os.path.join(PEERS, *parts)


# ---- Processes and take-overs: programs that print their figures


class OurBench(Side):
    def __init__(self, running, *arguments):
        super().__init__(running)
        self.arguments = [str(a) for a in arguments]

    def run(self):
        program = os.path.join(BUILD, "tests", "bench", "baton-bench")
        return figures.parse_json_lines(output_of([program, *self.arguments]))


class Otp(Side):
    """A module's main of tests/bench/peers/otp."""

    name = "otp"

    def __init__(self, running, module, *arguments):
        super().__init__(running)
        self.module = module
        self.arguments = [str(a) for a in arguments]
        self.work = running.path("otp-" + "-".join([module, *self.arguments]))

    def is_installed(self):
        return shutil.which("erl") and shutil.which("erlc")

    def start(self):
        os.makedirs(self.work)
        output_of(["erlc", "-o", self.work, *glob.glob(peer_file("otp", "*.erl"))])

    def run(self):
        command = ["erl", "+P", "5000000", "-noshell", "-run", self.module, "main", *self.arguments]
        return figures.parse_json_lines(output_of(command, cwd=self.work))


class Caf(Side):
    name = "caf"

    def is_installed(self):
        return os.path.exists("/usr/include/caf/all.hpp")

    def start(self):
        self.program = self.running.path("caf-processes")
        output_of(["g++", "-O2", "-std=c++17", "-o", self.program, peer_file("caf", "processes.cc"),
                   "-lcaf_core", "-lpthread"])

    def run(self):
        return figures.parse_json_lines(output_of([self.program]))


# ---- HTTP: servers of one short line, driven by wrk


class HttpSide(Side):
    def __init__(self, running):
        super().__init__(running)
        [self.port] = free_ports(1)

    def run(self):
        return figures.parse_wrk(output_of([*WRK, f"http://127.0.0.1:{self.port}/"]))


class OurHttp(HttpSide):
    def start(self):
        node = Node(self.running, {"hello": self.port}, name="http")
        bundle = node.pack(os.path.join(ROOT, "tests", "bench", "hello-1.0.0.yaml"))
        node.start()
        node.cli("upgrade", bundle, "--probation", "0s")


class Nginx(HttpSide):
    name = "nginx"

    def is_installed(self):
        return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")

    def start(self):
        work = self.running.path("nginx")
        os.makedirs(work)
        with open(peer_file("nginx", "nginx.conf")) as file:
            text = file.read().replace("@WORK@", work).replace("@PORT@", str(self.port))
        configuration = os.path.join(work, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(text)
        process = self.running.start([self.is_installed(), "-p", work, "-e", os.path.join(work, "early.log"),
                                      "-c", configuration], log="nginx.log")
        self.running.wait_for_port(process, self.port, "nginx")


class Cowboy(HttpSide):
    name = "cowboy"

    def is_installed(self):
        return shutil.which("erl") and os.path.isdir(COWBOY)

    def start(self):
        work = self.running.path("cowboy")
        os.makedirs(work)
        output_of(["erlc", "-o", work, peer_file("cowboy", "hello.erl")])
        process = self.running.start(
            ["erl", "-noshell", "-pa", work, *glob.glob(os.path.join(COWBOY, "*", "ebin")),
             "-run", "hello", "main", str(self.port)], log="cowboy.log")
        self.running.wait_for_port(process, self.port, "Cowboy")


# ---- Key-value stores, driven by redis-benchmark


class KvSide(Side):
    def __init__(self, running):
        super().__init__(running)
        [self.port] = free_ports(1)

    def run(self):
        found = []
        for pipeline, requests in KV_LOADS:
            command = ["redis-benchmark", "-p", str(self.port), "-t", "set,get", "-n", str(requests),
                       "-c", "50", "-P", str(pipeline), "--csv"]
            found += figures.parse_redis_benchmark(output_of(command), pipeline)
        return found


class OurKv(KvSide):
    node_name = "kv"

    def start(self):
        [web] = free_ports(1)
        self.node = Node(self.running, {"kv": self.port, "web": web}, name=self.node_name)
        self.bundles = {v: self.node.pack(os.path.join(ROOT, "releases", f"demo-{v}.yaml"))
                        for v in ("1.0.0", "1.1.0")}
        self.node.start()
        self.node.cli("upgrade", self.bundles["1.0.0"], "--probation", "0s")


class OurKvUpgrade(OurKv):
    """The longest that a client waits for a reply while kv is upgraded with a million keys."""

    node_name = "kv-upgrade"

    def start(self):
        super().start()
        self.client = Client(self.running, "--kv", f"127.0.0.1:{self.port}", "--keys", str(KV_KEYS))
        self.client.hear("loaded")

    def run(self):
        self.client.mark("upgrade")
        self.node.cli("upgrade", self.bundles["1.1.0"], "--probation", "0s")
        seen = self.client.mark("downgrade")["kv"]
        self.node.cli("rollback", "1.0.0")
        seen_back = self.client.mark("between runs")["kv"]
        for figures_seen in (seen, seen_back):
            if figures_seen["failed"] or figures_seen["dropped"]:
                raise Failed(f"an upgrade failed requests or dropped connections: {figures_seen}")
        return [{"name": "restart_1m_keys", "value": seen["longest_pause_ms"], "unit": "ms"}]


class Redis(KvSide):
    name = "redis"

    def is_installed(self):
        return shutil.which("redis-server")

    def start(self):
        work = self.running.path(f"redis-{self.port}")
        os.makedirs(work)
        self.command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", work,
                        "--save", "", "--appendonly", "no", "--enable-debug-command", "local"]
        self.serve()

    def serve(self):
        self.process = self.running.start(self.command, log="redis.log")

    def cli(self, *words):
        return output_of(["redis-cli", "-p", str(self.port), *words]).strip()


class RedisRestart(Redis):
    """How long Redis refuses service when it is stopped and started with a million keys: its upgrade."""

    def start(self):
        super().start()
        self.running.wait_for_port(self.process, self.port, "redis-server")
        self.cli("debug", "populate", str(KV_KEYS), "key", "64")
        self.cli("save")

    def run(self):
        self.running.stop(self.process)
        began = time.monotonic()
        self.serve()
        while not self.has_all_keys():
            time.sleep(0.005)
        return [{"name": "restart_1m_keys", "value": (time.monotonic() - began) * 1e3, "unit": "ms"}]

    def has_all_keys(self):
        done = subprocess.run(["redis-cli", "-p", str(self.port), "dbsize"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.stdout.strip() == str(KV_KEYS)


# ---- The suites


def processes(running):
    return [[OurBench(running, "processes"), Otp(running, "processes"), Caf(running)]]


def takeover(running):
    return [[OurBench(running, "takeover", *t), Otp(running, "takeover", *t[:3])] for t in TAKEOVERS]


def http(running):
    return [[OurHttp(running), Cowboy(running), Nginx(running)]]


def kv(running):
    return [[OurKv(running), Redis(running)], [OurKvUpgrade(running), RedisRestart(running)]]


SUITES = {"takeover": takeover, "processes": processes, "http": http, "kv": kv}


def run_suite(name, running, runs):
    """The rows of one suite: the sides of each group take turns, `runs` times."""
    rows = []
    for group in SUITES[name](running):
        sides = [side for side in group if side.is_installed()]
        for side in group:
            if side not in sides:
                say(f"bench: {name}: {side.name} is not installed (tools/setup --peers)")
        for side in sides:
            side.start()
        taken = {side.name: [] for side in sides}
        for turn in range(1, runs + 1):
            for side in sides:
                began = time.monotonic()
                taken[side.name].append(side.run())
                say(f"bench: {name}: {side.name} run {turn} of {runs}, {time.monotonic() - began:.1f} s")
        ours = taken.pop("baton", [])
        rows += figures.rows(name, ours, taken)
    if not rows:
        raise Failed(f"{name}: nothing was measured")
    return rows
