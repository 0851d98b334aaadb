"""Host: a real batond of one test, driven by the real command line, with bundles packed from the build.

A HostCase has a started host in a temporary directory, and a Packer of bundles that it trusts. Listeners take ports
that the system picks. Whatever a test starts is ended by its process id, whatever becomes of the test.

Usage of a test file: FILE_test.py BUILD_DIRECTORY [what unittest takes]
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))

from node import with_ports  # noqa: E402
from running import ROOT, Running  # noqa: E402

CLI_SECONDS = 60
WAIT_SECONDS = 20
LISTENERS = {"kv": 0, "web": 0}

CLASSICS = """\
name: classics
version: 1.0.0
sequence: 1
modules:
  - {name: factorial, version: 1.0.0}
  - {name: pingpong, version: 1.0.0}
applications:
  - name: classics
    supervisor:
      children:
        - {id: factorial, module: factorial, behaviour: factorial}
        - {id: table, module: pingpong, behaviour: table}
"""

build_directory = None  # set by main(), before any test runs


def main():
    """Runs the tests of the calling file."""
    global build_directory
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIRECTORY [what unittest takes]")
    build_directory = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__", verbosity=2)


def built(*parts):
    return os.path.join(build_directory, *parts)


def demo(version):
    """The description of a demo release, with ports that the system picks."""
    with open(os.path.join(ROOT, "releases", f"demo-{version}.yaml")) as file:
        return with_ports(file.read(), LISTENERS)


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {WAIT_SECONDS} s: {what}")
        time.sleep(0.02)


def run_baton(*words):
    return subprocess.run([built("bin", "baton"), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=CLI_SECONDS)


class Packer:
    """Packs bundles, all signed by one key, each once."""

    def __init__(self, running):
        self.running = running
        self.key = self.new_key()
        self.bundles = {}

    def new_key(self):
        key = self.running.path(f"key-{time.monotonic_ns()}")
        self._must("key", "generate", key)
        return key

    def pack(self, description, modules=None, key=None):
        """Packs this text with the modules of the build or of another directory; returns the bundle's path."""
        what = (description, modules, key)
        if what not in self.bundles:
            release = self.running.path(f"release-{len(self.bundles)}.yaml")
            with open(release, "w") as file:
                file.write(description)
            bundle = self.running.path(f"release-{len(self.bundles)}.baton")
            self._must("pack", release, "--modules", modules or built("modules"), "--key", key or self.key,
                       "--output", bundle)
            self.bundles[what] = bundle
        return self.bundles[what]

    def _must(self, *words):
        done = run_baton(*words)
        if done.returncode != 0:
            raise AssertionError(f"baton {' '.join(words)} ended with {done.returncode}: {done.stderr}")


class Host:
    """A batond and its directory. It trusts the key of a Packer."""

    def __init__(self, running, packer):
        self.running = running
        self.packer = packer
        self.root = running.path("root")
        self.process = None
        os.makedirs(self.root)
        self.must("key", "trust", packer.key + ".pub")

    # ---- Its process

    def start(self, *options):
        self.process = self.running.start([built("bin", "batond"), "--root", self.root, *options], log="batond.log")
        wait_until(lambda: self.baton("status").returncode == 0 or self.process.poll() is not None,
                   f"batond answers; it said: {self.log()}")
        if self.process.poll() is not None:
            raise AssertionError(f"batond ended with status {self.process.returncode}: {self.log()}")

    def stop(self):
        self.running.stop(self.process)

    def kill(self):
        self.process.kill()
        self.running.stop(self.process)

    def log(self):
        path = self.running.path("batond.log")
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()

    # ---- The command line

    def baton(self, *words):
        """Runs the command; returns what subprocess.run does."""
        return run_baton("--root", self.root, *words)

    def must(self, *words):
        """What the command prints."""
        done = self.baton(*words)
        if done.returncode != 0:
            raise AssertionError(f"baton {' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def data(self, *words):
        """The data of the command's JSON."""
        return json.loads(self.must("-o", "json", *words))["data"]

    def deploy(self, description):
        """Makes it the permanent release at once."""
        self.must("upgrade", self.packer.pack(description), "--probation", "0s")

    # ---- What it serves

    def port(self, listener):
        listeners = {each["name"]: each["address"] for each in self.data("status")["listeners"]}
        return int(listeners[listener].rsplit(":", 1)[1])

    def connect(self, listener):
        return Connection(self.port(listener))

    def redis(self, *words):
        with self.connect("kv") as connection:
            return connection.command(*words)

    def http(self, method, target, body=None):
        """The status and the JSON of the answer."""
        text = "" if body is None else json.dumps(body)
        with self.connect("web") as connection:
            connection.send(f"{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                            f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}")
            head, _, answer = connection.rest().partition("\r\n\r\n")
        return int(head.split()[1]), json.loads(answer) if answer else None

    def statuses(self):
        """Of each release, by its version."""
        return {each["version"]: each["status"] for each in self.data("release", "list")}


class Connection:
    """A TCP connection. A context manager."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self):
        return self.file.readline().decode().rstrip("\r\n")

    def reply(self):
        """One reply of RESP: a string with its mark, a list, or None."""
        line = self.line()
        if line.startswith("*"):
            return [self.reply() for _ in range(int(line[1:]))]
        if line.startswith("$"):
            size = int(line[1:])
            return None if size < 0 else self.file.read(size + 2)[:-2].decode()
        return line

    def command(self, *words):
        self.send(resp(*words))
        return self.reply()

    def rest(self):
        """Everything until the server closes."""
        return self.file.read().decode(errors="replace")


def resp(*words):
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


class HostCase(unittest.TestCase):
    configuration = None  # what batond.yaml says

    @classmethod
    def setUpClass(cls):
        cls.packer = Packer(cls.enterClassContext(Running("bundles")))

    def setUp(self):
        self.running = self.enterContext(Running("end-to-end"))
        self.host = Host(self.running, self.packer)
        if self.configuration is None:
            self.host.start()
            return
        path = self.running.path("batond.yaml")
        with open(path, "w") as file:
            file.write(self.configuration)
        self.host.start("--config", path)

    def tearDown(self):
        # Of a failed test, what the host had to say.
        if self.host.process.poll() not in (None, 0):
            sys.stderr.write(self.host.log()[-3000:])

    def assert_refused(self, status, message, *words):
        """The command ends with this status and one line of error that matches, in text and in JSON."""
        done = self.host.baton("-o", "json", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("baton: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertRegex(errors[0], message)
        envelope = json.loads(done.stdout)
        self.assertIs(envelope["ok"], False)
        self.assertEqual("baton: " + envelope["error"]["message"], errors[0])
        return errors[0]

    def assert_nothing_staged(self):
        staging = os.path.join(self.host.root, "staging")
        self.assertEqual(os.listdir(staging) if os.path.isdir(staging) else [], [])


def needs(program):
    """Skips, visibly, where a tool that baton must work with is not installed."""
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")
