"""Host: the Node of one test: what it serves, and what may be said of it.

A HostCase has a started host in a temporary directory, and a Packer of bundles that it trusts. Listeners take ports
that the system picks. Whatever a test starts is ended by its process id, whatever becomes of the test.

Usage of a test file: FILE_test.py [what unittest takes]; BATON_BUILD names another build folder than build/release.
"""

import contextlib
import json
import os
import shutil
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))

from node import CLI_SECONDS, Node, Packer, run_baton, with_ports  # noqa: E402, F401
from running import BUILD, ROOT, Failed, Running  # noqa: E402

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

def main():
    """Runs the tests of the calling file."""
    unittest.main(module="__main__", verbosity=2)


def built(*parts):
    return os.path.join(BUILD, *parts)


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


class Host(Node):
    def __init__(self, running, packer):
        super().__init__(running, LISTENERS, packer=packer)

    def deploy(self, description):
        """Makes it the permanent release at once."""
        self.must("upgrade", self.packer.pack(description), "--probation", "0s")

    # ---- What it serves

    def port(self, listener):
        listeners = {each["name"]: each["address"] for each in self.cli("status")["listeners"]}
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

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def growth_by_unfinished_commands(self, connections, seconds):
        """So many clients send all but the end of a SET of 31 MiB; how many bytes the host grew at most."""
        before = most = self.resident_bytes()
        size = 31 << 20
        head = f"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${size + 1}\r\n".encode()
        block = bytes(1 << 20)
        with contextlib.ExitStack() as stack:
            left = {}
            for _ in range(connections):
                client = stack.enter_context(self.connect("kv")).socket
                client.sendall(head)
                client.setblocking(False)
                left[client] = size
            deadline = time.monotonic() + seconds
            while left and time.monotonic() < deadline:
                for client in list(left):
                    try:
                        left[client] -= client.send(block[:left[client]])
                    except BlockingIOError:
                        continue
                    except OSError:  # closed
                        left[client] = 0
                    if left[client] == 0:
                        del left[client]
                most = max(most, self.resident_bytes())
                time.sleep(0.001)
            if self.redis("PING") != "+PONG":
                raise Failed("a small command is not served")
        return most - before

    def statuses(self):
        """Of each release, by its version."""
        return {each["version"]: each["status"] for each in self.cli("release", "list")}


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
        cls.packer = Packer(cls.enterClassContext(Running("bundles")).path("packed"))

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
            sys.stderr.write(self.host.last_words())

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
