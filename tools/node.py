"""Node: a batond of one's own, the command line, and the client that checks it under load.

What tools/demo, tools/bench and the tests have in common about baton itself: packing and signing release bundles, a
host in a temporary directory driven by the real command line, and the verifying client of tests/load.
"""

import json
import os
import re
import subprocess
import time

from running import BUILD, READY_SECONDS, ROOT, Failed

BATON = os.path.join(BUILD, "bin", "baton")
BATOND = os.path.join(BUILD, "bin", "batond")
MODULES = os.path.join(BUILD, "modules")
VERIFYING_CLIENT = os.path.join(BUILD, "tests", "load", "verifying_client")
CLI_SECONDS = 120


class Refused(Failed):
    """The command line's status was not 0: what it was, and what was said on the way."""

    def __init__(self, words, status, said):
        super().__init__(f"baton {' '.join(words)} ended with status {status}:\n{said}")
        self.status = status
        self.said = said


def run_baton(*words):
    """Runs the command line; returns what subprocess.run does."""
    try:
        return subprocess.run([BATON, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=CLI_SECONDS)
    except FileNotFoundError as error:
        raise Failed(f"{BATON} is not built") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"baton {' '.join(words)} did not end within {CLI_SECONDS} s") from error


def must(*words):
    """What the command line did, as run_baton; Refused if its status is not 0."""
    done = run_baton(*words)
    if done.returncode != 0:
        raise Refused(words, done.returncode, done.stderr.strip())
    return done


class Packer:
    """Packs release bundles in a directory, all signed by one key, each once."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        self.key = self.new_key("signing")
        self.bundles = {}

    def new_key(self, name):
        """A secret key's file; its public key is beside it, with .pub."""
        key = os.path.join(self.directory, f"{name}.key")
        must("key", "generate", key)
        return key

    def pack(self, description, modules=MODULES, key=None):
        """Packs the text of a release description; returns the bundle's path."""
        what = (description, modules, key)
        if what not in self.bundles:
            stem = os.path.join(self.directory, f"release-{len(self.bundles)}")
            with open(stem + ".yaml", "w") as file:
                file.write(description)
            must("pack", stem + ".yaml", "--modules", modules, "--key", key or self.key, "--output", stem + ".baton")
            self.bundles[what] = stem + ".baton"
        return self.bundles[what]


class Node:
    """A host in the directory of a Running, which trusts the key of a Packer.

    `ports`: the port of each listener, by its name in the release.
    """

    def __init__(self, running, ports, name="node", packer=None):
        self.running = running
        self.ports = ports
        self.root = running.path(name)
        self.log = running.path(name + ".log")
        self.packer = packer or Packer(running.path(name + "-bundles"))
        self.process = None
        self.must("key", "trust", self.packer.key + ".pub")

    def pack(self, release):
        """Packs and signs this release description, with our ports; returns the bundle's path."""
        with open(release) as file:
            return self.packer.pack(with_ports(file.read(), self.ports))

    # ---- Its process

    def start(self, *options):
        self.process = self.running.start([BATOND, "--root", self.root, *options], log=self.log)
        deadline = time.monotonic() + READY_SECONDS
        while self.baton("status").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"batond did not start: {self.last_words()}")
            time.sleep(0.02)

    def stop(self):
        self.running.stop(self.process)

    def kill(self):
        self.process.kill()
        self.stop()

    def last_words(self):
        return self.log_text()[-3000:]

    def log_text(self):
        """What it has written so far."""
        with open(self.log, errors="replace") as file:
            return file.read()

    # ---- The command line

    def baton(self, *words):
        """Runs the command line; returns what subprocess.run does."""
        return run_baton("--root", self.root, *words)

    def must(self, *words):
        """What the command line prints; Refused if its status is not 0."""
        return must("--root", self.root, *words).stdout.strip()

    def cli(self, *words):
        """The data of what the command line answers; Refused if its status is not 0."""
        return json.loads(self.must("-o", "json", *words))["data"]

    def committed_ms(self, *words):
        """How long this change of releases took, from the request to the release being current."""
        return phase_ms(must("--root", self.root, *words).stderr, "commit")


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
