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
    """The command line's status was not 0: what it was, and what was said on the way."""

    def __init__(self, words, status, said):
        super().__init__(f"baton {' '.join(words)} ended with status {status}:\n{said}")
        self.status = status
        self.said = said


class Node:
    """A host in the directory of a Running. `ports`: the port of each listener, by its name in the release."""

    def __init__(self, running, ports, name="node"):
        self.running = running
        self.ports = ports
        self.root = running.path(name)
        self.work = running.path(name + "-work")
        os.mkdir(self.work)
        self.log = os.path.join(self.work, "batond.log")
        self.key = os.path.join(self.work, "signing.key")
        self.process = None
        output_of([BATON, "key", "generate", self.key])
        output_of([BATON, "--root", self.root, "key", "trust", self.key + ".pub"])

    def pack(self, release):
        """Packs and signs this release description, with our ports; returns the bundle's path."""
        with open(release) as file:
            text = with_ports(file.read(), self.ports)
        name = os.path.basename(release).removesuffix(".yaml")
        description = os.path.join(self.work, f"{name}.yaml")
        with open(description, "w") as file:
            file.write(text)
        bundle = os.path.join(self.work, f"{name}.baton")
        output_of([BATON, "pack", description, "--modules", MODULES, "--key", self.key, "--output", bundle])
        return bundle

    def start(self):
        self.process = self.running.start([BATOND, "--root", self.root], log=self.log)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                return self.cli("status")
            except Refused as refusal:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"batond did not start: {self.last_words()}") from refusal
                time.sleep(0.02)

    def last_words(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-1500:]

    def cli(self, *words):
        """The data of what the command answers; Refused if its status is not 0."""
        return self.run_cli(words)[0]

    def committed_ms(self, *words):
        """How long this change of releases took, from the request to the release being current."""
        return phase_ms(self.run_cli(words)[1], "commit")

    def run_cli(self, words):
        done = subprocess.run([BATON, "--root", self.root, "-o", "json", *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Refused(words, done.returncode, done.stderr.strip())
        return json.loads(done.stdout)["data"], done.stderr


def phase_ms(progress, phase):
    """When an operation reached a phase, from the command line's lines of progress."""
    found = re.search(rf"^\s*([\d.]+) ms\s+{phase}\b", progress, re.MULTILINE)
    if not found:
        raise Failed(f"no phase {phase} in the progress of the operation:\n{progress}")
    return float(found.group(1))


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
