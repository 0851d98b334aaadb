"""Servers: sides that serve one short line by HTTP, driven by wrk, and sides that are idle and watched for it."""

import glob
import os
import shutil
import time

import figures
from node import Node
from running import ROOT, Failed, free_ports, output_of
from sides import Side, peer_file

COWBOY = os.path.join(ROOT, "out", "peers", "cowboy")
WRK = ["wrk", "-t1", "-c64", "-d5s", "--latency"]
IDLE_SECONDS = 5
SETTLE_SECONDS = 1


class HttpSide(Side):
    expected = 6

    def start(self, running):
        [self.port] = free_ports(1)
        self.serve(running)

    def serve(self, running):
        raise NotImplementedError

    def run(self):
        return figures.parse_wrk(output_of([*WRK, f"http://127.0.0.1:{self.port}/"]))


class OurHttp(HttpSide):
    def serve(self, running):
        node = Node(running, {"hello": self.port})
        bundle = node.pack(os.path.join(ROOT, "tests", "bench", "hello-1.0.0.yaml"))
        node.start()
        node.cli("upgrade", bundle, "--probation", "0s")


class Nginx(HttpSide):
    name = "nginx"

    def is_installed(self):
        return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")

    def serve(self, running):
        work = running.path("nginx")
        os.makedirs(work)
        with open(peer_file("nginx", "nginx.conf")) as file:
            text = file.read().replace("@WORK@", work).replace("@PORT@", str(self.port))
        configuration = os.path.join(work, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(text)
        process = running.start([self.is_installed(), "-p", work, "-e", os.path.join(work, "early.log"),
                                 "-c", configuration], log="nginx.log")
        running.wait_for_port(process, self.port, "nginx")


class Cowboy(HttpSide):
    name = "cowboy"

    def is_installed(self):
        return shutil.which("erl") and os.path.isdir(COWBOY)

    def serve(self, running):
        work = running.path("cowboy")
        os.makedirs(work)
        output_of(["erlc", "-o", work, peer_file("cowboy", "hello.erl")])
        process = running.start(
            ["erl", "-noshell", "-pa", work, *glob.glob(os.path.join(COWBOY, "*", "ebin")),
             "-run", "hello", "main", str(self.port)], log="cowboy.log")
        running.wait_for_port(process, self.port, "Cowboy")


# ---- Idle hosts


class Idle(Side):
    """A host that has nothing to do: which share of a core it takes."""

    expected = IDLE_SECONDS

    def start(self, running):
        self.process = self.host(running)
        time.sleep(SETTLE_SECONDS)

    def host(self, running):
        """Its process."""
        raise NotImplementedError

    def run(self):
        before, began = cpu_ns(self.process), time.monotonic_ns()
        time.sleep(IDLE_SECONDS)
        share = (cpu_ns(self.process) - before) / (time.monotonic_ns() - began)
        return [{"name": "idle_cpu", "value": share * 100, "unit": "percent_of_core"}]


class OurIdle(Idle):
    """With the demonstration's first release: its applications run and its listeners listen."""

    def host(self, running):
        kv, web = free_ports(2)
        node = Node(running, {"kv": kv, "web": web})
        bundle = node.pack(os.path.join(ROOT, "releases", "demo-1.0.0.yaml"))
        node.start()
        node.cli("upgrade", bundle, "--probation", "0s")
        return node.process


class OtpIdle(Idle):
    """With nothing: an emulator as it starts."""

    name = "otp"

    def is_installed(self):
        return shutil.which("erl")

    def host(self, running):
        return running.start(["erl", "-noshell", "-noinput"], log="otp-idle.log")


def cpu_ns(process):
    """How long the threads of a process have run so far; /proc/PID/stat counts in hundredths of a second only."""
    if process.poll() is not None:
        raise Failed(f"the idle host ended with status {process.returncode}")
    total = 0
    for schedstat in glob.glob(f"/proc/{process.pid}/task/*/schedstat"):
        with open(schedstat) as file:
            total += int(file.read().split()[0])
    if not total:
        raise Failed("this kernel does not count the nanoseconds of threads (/proc/PID/task/*/schedstat)")
    return total
