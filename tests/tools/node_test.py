"""The parts of tools/node.py and tools/running.py that need no host."""

import itertools
import os
import signal
import subprocess
import sys
import unittest
from unittest import mock

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
sys.path.insert(0, TOOLS)
import node
import running

BLOCK = """name: demo
modules:
  - {name: kv, version: 1.0.0}
applications:
  - name: kv
    supervisor:
      children:
        - {id: store, module: kv, name: kv_store}
listeners:
  - name: kv
    protocol: tcp
    address: 127.0.0.1:6379
  - name: web
    address: "127.0.0.1:8080"   # plain HTTP
probation:
  health:
    - {listener: web, path: /health}
    - {address: "127.0.0.1:9"}
"""
FLOW = """listeners:
  - {name: kv, address: "127.0.0.1:6379", idle_timeout: 5m}
  - {name: web, protocol: http, address: 127.0.0.1:8080}
"""


class WithPortsTest(unittest.TestCase):
    def test_replaces_the_ports_of_the_named_listeners_only(self):
        for description in (BLOCK, FLOW):
            changed = node.with_ports(description, {"kv": 1111, "web": 2222})
            self.assertEqual(changed, description.replace("6379", "1111").replace("8080", "2222"))

    def test_a_listener_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(running.Failed, "no address of a listener mail"):
            node.with_ports(BLOCK, {"kv": 1, "mail": 2})


class PhaseTest(unittest.TestCase):
    PROGRESS = "      8.9 ms  unpack         demo.baton\n   2088.5 ms  commit         demo-1.1.0 is current\n"

    def test_is_when_the_operation_reached_it(self):
        self.assertEqual(node.phase_ms(self.PROGRESS, "commit"), 2088.5)

    def test_a_phase_that_was_not_reached_is_named(self):
        with self.assertRaisesRegex(running.Failed, "no phase purge"):
            node.phase_ms(self.PROGRESS, "purge")


class FollowedTest(unittest.TestCase):
    LINES = ["-- Configuring\n", "[1/3] one\n", "[2/3] two\n", "error: so it goes\n"]

    def test_says_from_time_to_time_how_far_a_build_is(self):
        seconds = itertools.count(0, running.PROGRESS_SECONDS / 4)
        with mock.patch.object(running, "say") as said:
            text = running.followed(self.LINES * 2, "demo", clock=lambda: next(seconds))
        self.assertEqual(text, "".join(self.LINES * 2))
        self.assertEqual(said.mock_calls, [mock.call("demo: built 2 of 3")])

    def test_a_quick_one_is_not_told_of(self):
        with mock.patch.object(running, "say") as said:
            running.followed(self.LINES, "demo", clock=lambda: 0)
        said.assert_not_called()


class RunningTest(unittest.TestCase):
    def test_what_was_started_is_ended_and_removed_on_the_way_out(self):
        with running.Running("test") as started:
            process = started.start(["sleep", "1000"], log="sleep.log")
            self.assertTrue(os.path.exists(started.path("sleep.log")))
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertFalse(os.path.exists(started.directory))

    def test_so_it_is_when_the_script_is_interrupted_or_terminated(self):
        script = ("import running, sys, time\n"
                  "with running.Running('test') as r:\n"
                  "    p = r.start(['sleep', '1000'])\n"
                  "    print(p.pid, r.directory, flush=True)\n"
                  "    time.sleep(1000)\n")
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([sys.executable, "-c", script], cwd=TOOLS, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            pid, directory = process.stdout.readline().split()
            process.send_signal(number)
            self.assertNotEqual(process.wait(20), 0)
            process.stdout.close()
            self.assertFalse(os.path.exists(f"/proc/{pid}"))
            self.assertFalse(os.path.exists(directory))

    def test_a_program_that_ends_early_is_no_server(self):
        [port] = running.free_ports(1)
        with running.Running("test") as started:
            with self.assertRaisesRegex(running.Failed, "falsehood ended with status 1 before it listened"):
                started.wait_for_port(started.start(["false"]), port, "falsehood")

    def test_a_program_that_is_not_there_is_named(self):
        with running.Running("test") as started:
            with self.assertRaisesRegex(running.Failed, "no-such-program is not installed"):
                started.start(["no-such-program"])
        with self.assertRaisesRegex(running.Failed, "no-such-program is not installed"):
            running.output_of(["no-such-program"])

    def test_a_program_that_fails_is_quoted(self):
        with self.assertRaisesRegex(running.Failed, "status 3: so it goes"):
            running.output_of(["sh", "-c", "echo so it goes >&2; exit 3"])

    def test_free_ports_differ(self):
        self.assertEqual(len(set(running.free_ports(20))), 20)


if __name__ == "__main__":
    unittest.main()
