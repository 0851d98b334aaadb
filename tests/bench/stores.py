"""Stores: key-value stores driven by redis-benchmark, and what changing their version costs with a million keys."""

import os
import shutil
import subprocess
import time

import figures
from node import Client, Node
from running import ROOT, Failed, free_ports, output_of
from sides import Side

# Pipelining and number of requests of redis-benchmark.
LOADS = [(1, 300000), (16, 1000000)]
KEYS = 1000000
SETTLE_SECONDS = 1


class Store(Side):
    expected = 20

    def start(self, running):
        self.running = running
        [self.port] = free_ports(1)
        self.serve()

    def serve(self):
        raise NotImplementedError

    def run(self):
        found = []
        for pipeline, requests in LOADS:
            command = ["redis-benchmark", "-p", str(self.port), "-t", "set,get", "-n", str(requests),
                       "-c", "50", "-P", str(pipeline), "--csv"]
            found += figures.parse_redis_benchmark(output_of(command), pipeline)
        return found


class OurKv(Store):
    def serve(self):
        [web] = free_ports(1)
        self.node = Node(self.running, {"kv": self.port, "web": web})
        self.bundles = {v: self.node.pack(os.path.join(ROOT, "releases", f"demo-{v}.yaml"))
                        for v in ("1.0.0", "1.1.0")}
        self.node.start()
        self.node.cli("upgrade", self.bundles["1.0.0"], "--probation", "0s")


class OurKvUpgrade(OurKv):
    """The longest that a client waits for a reply while kv is upgraded, and while that is undone.

    The client lives for one run only, so that it does not compete with the other side's.
    """

    def run(self):
        client = Client(self.running, "--kv", f"127.0.0.1:{self.port}", "--keys", str(KEYS))
        try:
            client.hear("loaded")
            time.sleep(SETTLE_SECONDS)
            client.mark("upgrade")
            self.node.cli("upgrade", self.bundles["1.1.0"], "--probation", "0s")
            up = client.mark("downgrade")["kv"]
            self.node.cli("rollback", "1.0.0")
            down = client.mark("end")["kv"]
        finally:
            self.running.stop(client.process)
        for seen in (up, down):
            if seen["failed"] or seen["dropped"] or not seen["requests"]:
                raise Failed(f"a change of version failed requests, dropped connections or was not seen: {seen}")
        pauses = [{"name": "kv_upgrade_longest_pause", "value": seen["longest_pause_ms"], "unit": "ms",
                   "direction": direction} for direction, seen in (("upgrade", up), ("downgrade", down))]
        return [{"name": "restart_1m_keys", "value": up["longest_pause_ms"], "unit": "ms"}, *pauses]


class Redis(Store):
    name = "redis"

    def is_installed(self):
        return shutil.which("redis-server")

    def serve(self):
        work = self.running.path("redis")
        os.makedirs(work, exist_ok=True)
        self.process = self.running.start(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", work,
             "--save", "", "--appendonly", "no", "--enable-debug-command", "local"], log="redis.log")
        self.running.wait_for_port(self.process, self.port, "redis-server")

    def cli(self, *words):
        return output_of(["redis-cli", "-p", str(self.port), *words]).strip()


class RedisRestart(Redis):
    """How long Redis refuses service when it is stopped and started with a million keys: its upgrade."""

    expected = 3

    def start(self, running):
        super().start(running)
        self.cli("debug", "populate", str(KEYS), "key", "64")
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
        return done.stdout.strip() == str(KEYS)
