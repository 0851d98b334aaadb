"""Node: a batond of one's own, and the client that checks it under load.

What tools/demo and tools/bench have in common about baton itself: packing and signing release bundles, a host in a
temporary directory driven by the command line, and the verifying client of tests/load.
"""

import json
import os
import re
import subprocess
import time

from running import BUILD, READY_SECONDS, ROOT, Failed, output_of

BATON = os.path.join(BUILD, "bin", "baton")
BATOND = os.path.join(BUILD, "bin", "batond")
MODULES = os.path.join(BUILD, "modules")
VERIFYING_CLIENT = os.path.join(BUILD, "tests", "load", "verifying_client")


class Refused(Failed):
    """The command line's status was not 0: what it was, and what it said."""

    def __init__(self, words, status, answer):
        super().__init__(f"baton {' '.join(words)} ended with status {status}: {answer}")
        self.status = status
        self.answer = answer


class Node:
    """A host in the directory of a Running. `ports`: the port of each listener, by its name in the release."""

    def __init__(self, running, ports):
        self.running = running
        self.ports = ports
        self.root = running.path("node")
        self.key = running.path("signing.key")
        os.makedirs(self.root)

    def pack(self, release):
        """Packs and signs releases/RELEASE.yaml with our ports; returns the bundle's path."""
        with open(os.path.join(ROOT, "releases", f"{release}.yaml")) as file:
            text = with_ports(file.read(), self.ports)
        description = self.running.path(f"{release}.yaml")
        with open(description, "w") as file:
            file.write(text)
        bundle = self.running.path(f"{release}.baton")
        output_of([BATON, "pack", description, "--modules", MODULES, "--key", self.key, "--output", bundle])
        return bundle

    def start(self):
        self.process = self.running.start([BATOND, "--root", self.root], log="batond.log")
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                return self.cli("status")
            except Refused as refusal:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"batond did not start: {self.last_words()}") from refusal
                time.sleep(0.02)

    def last_words(self):
        with open(self.running.path("batond.log"), errors="replace") as file:
            return file.read()[-1500:]

    def cli(self, *words):
        """What the command answers, from its JSON; Refused if its status is not 0."""
        done = subprocess.run([BATON, "--root", self.root, "-o", "json", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            answer = done.stderr.strip() or done.stdout.strip()
        if done.returncode != 0:
            raise Refused(words, done.returncode, answer)
        return answer


def with_ports(description, ports):
    """The release description with other ports in the addresses of the listeners named in `ports`."""
    for name, port in ports.items():
        address = re.compile(rf'(name:\s*{name}\b(?:(?!\bname:).)*?\baddress:\s*"?[\d.]+:)\d+', re.DOTALL)
        description, found = address.subn(rf"\g<1>{port}", description, count=1)
        if not found:
            raise Failed(f"no address of a listener {name} in the description")
    return description


class Client:
    """The verifying client, spoken to by lines."""

    def __init__(self, running, *arguments):
        self.process = running.start([VERIFYING_CLIENT, *arguments], log="verifying_client.log",
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failed("the verifying client ended before its time") from error

    def hear(self, event):
        """The next object of this event; those before it are passed over."""
        for line in self.process.stdout:
            heard = json.loads(line)
            if heard["event"] == event:
                return heard
        raise Failed(f"the verifying client ended without saying {event!r}")

    def verify(self):
        self.say("verify")
        return self.hear("verified")

    def mark(self, name):
        """Ends the step under way, whose figures it returns, and begins another."""
        self.say(f"mark {name}")
        return self.hear("step")

    def end(self):
        self.say("stop")
        return self.hear("end")
