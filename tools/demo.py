"""Demo: the demonstration that tools/demo runs once everything is installed; tools/demo --help says what it shows."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

from node import Client, Node, Refused, phase_ms
from running import ROOT, Failed, Running, build, free_ports, say
import verdict

STEADY_SECONDS = 2
GOOD_PROBATION = "1s"
BAD_PROBATION = "30s"
BAD_STEP = "1.1.0 -> 1.2.0 (bad) -> 1.1.0"
MODULES = ["kv_1.0.0", "kv_1.1.0", "web_1.0.0", "web_1.1.0", "web_1.2.0"]
ROLLED_BACK = 7  # exit status of `baton upgrade`


class Load:
    """redis-benchmark and wrk, as fast as they go but nicest of all: they fill the time that the machine has left,
    and do not take the host's or the checking client's."""

    def __init__(self, running, ports):
        self.running = running
        self.ports = ports
        self.redis = running.start(
            ["nice", "-n", "19", "redis-benchmark", "-p", str(ports["kv"]), "-t", "set,get", "-r", "100000",
             "-c", "20", "-n", "100000", "-l", "-q"], log="redis-benchmark.log")
        self.start_wrk()

    def start_wrk(self):
        self.wrk = self.running.start(
            ["nice", "-n", "19", "wrk", "-t1", "-c16", "-d600s", f"http://127.0.0.1:{self.ports['web']}/totals"],
            log="wrk.log", stdout=subprocess.PIPE, text=True)

    def end_wrk(self):
        """Failed requests and broken connections since it was started."""
        self.wrk.send_signal(signal.SIGINT)
        report = self.wrk.stdout.read()
        self.running.stop(self.wrk)
        return verdict.wrk_failures(report)

    def end_redis_benchmark(self):
        """It ends by itself only when its connections do."""
        if self.redis.poll() is not None:
            raise Failed(f"redis-benchmark ended by itself with status {self.redis.returncode}")
        self.running.stop(self.redis)


class Demo:
    def __init__(self, running, keys):
        kv, web = free_ports(2)
        self.running = running
        self.keys = keys
        self.ports = {"kv": kv, "web": web}
        self.node = Node(running, self.ports)
        self.rows = []
        self.rolled_back = False
        self.back_unix_ms = 0

    def deploy(self):
        say("demo: packing and signing demo-1.0.0, demo-1.1.0 and demo-1.2.0")
        self.bundles = {v: self.node.pack(os.path.join(ROOT, "releases", f"demo-{v}.yaml"))
                        for v in ("1.0.0", "1.1.0", "1.2.0")}
        say("demo: starting a host and deploying 1.0.0")
        self.node.start()
        self.node.cli("upgrade", self.bundles["1.0.0"], "--probation", "0s")
        say(f"demo: storing {self.keys:,} keys")
        self.client = Client(self.running, "--kv", f"127.0.0.1:{self.ports['kv']}",
                             "--web", f"127.0.0.1:{self.ports['web']}", "--keys", str(self.keys))
        self.client.hear("loaded")
        self.load = Load(self.running, self.ports)

    def step(self, name, change):
        """Load before, during and after the change; then every key is read back. `change` returns how long it took,
        in ms; that and what the client saw is returned."""
        say(f"demo: {name}")
        self.client.mark(name)
        time.sleep(STEADY_SECONDS / 2)
        total_ms = change()
        time.sleep(STEADY_SECONDS / 2)
        self.client.verify()
        seen = self.client.mark("between steps")
        self.rows.append(verdict.step_row(name, total_ms, seen))
        return seen

    def upgrade(self, version):
        return self.node.committed_ms("upgrade", self.bundles[version], "--probation", GOOD_PROBATION)

    def upgrade_to_the_bad_one(self):
        """Notes whether it was rolled back, and when at the latest the last process was back."""
        try:
            self.node.cli("upgrade", self.bundles["1.2.0"], "--probation", BAD_PROBATION)
            self.rolled_back = False
        except Refused as refusal:
            self.rolled_back = refusal.status == ROLLED_BACK
            self.back_unix_ms = time.time() * 1e3
            say(refusal.said)
            return phase_ms(refusal.said, "commit")
        self.back_unix_ms = time.time() * 1e3
        return 0

    def run(self):
        self.deploy()
        self.step("1.0.0, nothing changes", lambda: 0)
        self.step("1.0.0 -> 1.1.0", lambda: self.upgrade("1.1.0"))
        self.step("1.1.0 -> 1.0.0", lambda: self.node.committed_ms("rollback", "1.0.0"))
        self.step("1.0.0 -> 1.1.0 again", lambda: self.upgrade("1.1.0"))
        wrk_before = self.load.end_wrk()
        self.load.start_wrk()
        seen_bad = self.step(BAD_STEP, self.upgrade_to_the_bad_one)
        wrk_bad = self.load.end_wrk()
        self.load.start_wrk()
        self.step("1.1.0, after the rollback", lambda: 0)
        wrk_after = self.load.end_wrk()
        self.load.end_redis_benchmark()
        say("demo: reading every key back once more")
        report = self.client.end()
        result, wrong = verdict.verdict(
            self.rows, BAD_STEP, seen_bad, self.back_unix_ms, self.rolled_back,
            wrk_failed=wrk_before[0] + wrk_after[0], wrk_broken=wrk_before[1] + wrk_bad[1] + wrk_after[1])
        return result, wrong, report["failures"]


def main():
    # What the options mean stands in tools/demo, which shows it without Python.
    parser = argparse.ArgumentParser(prog="tools/demo", add_help=False)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keys", type=int, default=1000000, metavar="N")
    given = parser.parse_args()
    if given.keys < 1:
        parser.error("--keys takes a number from 1")
    try:
        build("demo", ["batond", "baton", "verifying_client", *(f"module_{m}" for m in MODULES)])
        began = time.monotonic()
        with Running("demo") as running:
            result, wrong, failures = Demo(running, given.keys).run()
    except Failed as failure:
        say(f"demo: {failure}")
        return 1
    except KeyboardInterrupt:
        say("demo: interrupted")
        return 130
    print(verdict.table(result["steps"]))
    print(f"\nThe bad release served {result['bad_release_errors']} errors within {result['bad_release_ms']} ms, "
          f"then was rolled back.\nAll of it took {time.monotonic() - began:.0f} s.")
    for failure in [f for f in failures if f["lost"] or f["step"] != BAD_STEP][:10]:
        say(f"demo: {failure['service']}, {failure['step']}: {failure['what']}")
    for line in wrong:
        print(f"FAILED: {line}")
    if given.json:
        print(json.dumps(result, separators=(",", ":")), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
