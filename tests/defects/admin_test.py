"""Known defects of the administration, end to end."""

import contextlib
import json
import os
import socket
import time

from defects import PROMPTLY_SECONDS, DefectCase, given, main, not_mended
from host import CLASSICS, built

LABOR = """\
name: labor
version: 1.0.0
sequence: 1
modules:
  - {name: pingpong, version: 1.0.0}
  - {name: toil, version: 1.0.0}
applications:
  - name: labor
    supervisor:
      children:
        - {id: table, module: pingpong, behaviour: table}
        - {id: hand, module: toil, behaviour: hand, name: hand}
"""
DEEP = 200  # deeper than a parser of JSON goes by default
# What nobody means to send to a process of the host.
STRANGE_TERMS = ("hello", "[]", "{}", "{start,99}", "{stop,0}", "{start,1.5}", "{start,-1}", "{start,70000}", "{stop,1,2}",
                 "#{}", "<<1,2>>", "[{a,b}|c]", "9223372036854775808", "{start_child,[]}", "{change_specs,[],x}",
                 "{start_child,#{id=>a}}", "{'EXIT',<0.1.1>,kill}", "{terminate_child,<0.9999999.1>}", "#Ref<0.1.1>")


class Client:
    """A connection to the admin socket, beside the command line. A context manager."""

    def __init__(self, host, seconds=PROMPTLY_SECONDS):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(os.path.join(host.root, "batond.sock"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, verb, **arguments):
        body = json.dumps(arguments)
        self.socket.sendall(f"POST /v1/{verb} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n"
                            f"Connection: close\r\n\r\n{body}".encode())

    def answer(self):
        """The envelope; AssertionError if it does not come."""
        received = b""
        try:
            while chunk := self.socket.recv(1 << 16):
                received += chunk
        except TimeoutError:
            raise AssertionError("the host does not answer") from None
        return json.loads(received.partition(b"\r\n\r\n")[2])

    def ask(self, verb, **arguments):
        self.send(verb, **arguments)
        return self.answer()


class AdminCase(DefectCase):
    """With a host that runs the classics."""

    def setUp(self):
        super().setUp()
        with given("the classics run"):
            self.host.deploy(CLASSICS)

    def ask(self, verb, **arguments):
        with Client(self.host) as client:
            return client.ask(verb, **arguments)

    def pid_of(self, behaviour):
        with given(f"there is a process of {behaviour}"):
            return next(each["pid"] for each in self.host.cli("ps")["processes"] if each["behaviour"] == behaviour)

    def start_again(self):
        """Stops the host and starts it; its status if it ends instead."""
        self.host.stop()
        process = self.running.start([built("bin", "batond"), "--root", self.host.root], log=self.host.log)
        self.host.process = process
        deadline = time.monotonic() + PROMPTLY_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self.run_baton("status").returncode == 0:
                return None
            time.sleep(0.05)
        return process.poll()

    def assert_serves(self):
        self.assertEqual(self.assert_done("call", "factorial", "5").stdout.strip(), "120")
        self.assertIsNone(self.host.process.poll())


class Requests(AdminCase):
    CALLERS = 40

    def test_A1_calls_that_wait_are_as_many_as_connections(self):
        # A call kept one of 32 contexts while it waited: the 33rd ended the host.
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(self.host)) for _ in range(self.CALLERS)]
            for client in clients:
                client.send("call", process="pong", request="hello", timeout_ms=3000)
            self.assert_serves()
            codes = [client.answer()["error"]["code"] for client in clients]
        self.assertEqual(codes, ["timed_out"] * self.CALLERS)

    def test_A2_a_deep_answer_is_shown(self):
        # Terms were turned into JSON and read back by a parser that goes 32 deep and throws.
        deep = "[" * DEEP + "]" * DEEP
        spec = "{start_child,#{id=>" + deep + ",start=>{factorial,factorial,[]}}}"
        supervisor = self.pid_of("supervisor")
        with given("a child with a deep id"):
            self.ask("call", process=supervisor, request=spec)
        answer = self.ask("call", process=supervisor, request="which_children")
        self.assertIn(deep, answer["data"]["term"])
        self.assertEqual(json.dumps(answer["data"]["value"]).count("["), answer["data"]["term"].count("[")
                         + answer["data"]["term"].count("{"))
        self.assert_serves()

    def test_A9_an_operation_that_is_no_number_is_refused(self):
        # Whatever was no integer of 64 bits was read as 0.
        for wrong in ("x", 1.5, 2**63, -1, True, None, [1]):
            with self.subTest(id=wrong):
                self.assertEqual(self.ask("operation", id=wrong)["error"]["code"], "usage")
        self.assertEqual(self.ask("operation")["error"]["code"], "usage")

    def test_A9_the_atoms_of_an_answer_are_named(self):
        # {stop,0} was answered with an atom that nobody had told the table of atoms.
        answer = self.ask("call", process=self.pid_of("application_controller"), request="{stop,0}")
        self.assertNotIn("#Atom", json.dumps(answer))

    def test_A5_how_long_a_request_may_wait_is_bounded(self):
        for wrong in (-1, 10**12, "soon", 1.5):
            with self.subTest(timeout_ms=wrong):
                answer = self.ask("call", process="pong", request="hello", timeout_ms=wrong)
                self.assertEqual(answer["error"]["code"], "usage")


    def test_A7_requests_do_not_use_up_the_atoms(self):
        # A request of 1 MiB has 150,000 new atoms; seven filled the table, and no module with a new one could be loaded.
        with given("requests full of atoms"):
            for request in range(10):
                self.ask("send", process="pong", request="[" + ",".join(f"{request:x}_{i:x}" if request > 9 else
                         f"{'abcdefghij'[request]}{i:x}" for i in range(150_000)) + "]")
        more = CLASSICS.replace("version: 1.0.0\nsequence: 1", "version: 1.0.1\nsequence: 2", 1).replace(
            "applications:", "  - {name: kv, version: 1.0.0}\napplications:", 1)
        self.assert_done("upgrade", self.packer.pack(more), "--probation", "0s")
        self.assert_serves()


class HostProcesses(AdminCase):
    def test_A3_the_application_controller_refuses_what_it_does_not_know(self):
        # It ended the host over a request that is none of its own, and read what lies behind its table.
        controller = self.pid_of("application_controller")
        for term in STRANGE_TERMS:
            for verb in ("call", "cast", "send"):
                answer = self.ask(verb, process=controller, request=term, timeout_ms=2000)
                self.assertTrue(answer["ok"] or answer["error"]["code"] == "not_found", answer)
        self.assert_serves()
        self.assert_done("info", controller)

    def test_A3_supervisors_refuse_what_they_do_not_know(self):
        supervisor = self.pid_of("supervisor")
        for term in STRANGE_TERMS:
            for verb in ("call", "cast", "send"):
                answer = self.ask(verb, process=supervisor, request=term, timeout_ms=2000)
                self.assertTrue(answer["ok"], answer)
        self.assert_serves()

    def test_A3_no_verb_ends_or_holds_a_process_of_the_host(self):
        # With the application controller killed no application could be started or stopped any more.
        controller = self.pid_of("application_controller")
        for verb in ("kill", "stop", "suspend"):
            with self.subTest(verb):
                self.assertEqual(self.ask(verb, process=controller).get("error", {}).get("code"), "denied")
        self.assert_serves()
        more = CLASSICS.replace("version: 1.0.0\nsequence: 1", "version: 1.0.1\nsequence: 2", 1).replace(
            "name: classics\n    supervisor", "name: others\n    supervisor")
        self.assert_done("upgrade", self.packer.pack(more), "--probation", "0s")
        self.assert_serves()


class OneScheduler(DefectCase):
    configuration = "schedulers: 1\n"

    def test_A8_a_call_ends_in_its_time_though_the_scheduler_is_busy(self):
        # Its time-out was a timer of the scheduler, which has to come by for it.
        with given("the only scheduler is in a callback of 8 s"):
            self.host.deploy(LABOR)
            with Client(self.host) as client:
                self.assertTrue(client.ask("cast", process="hand", request="{work,8000}")["ok"])
        start = time.monotonic()
        with Client(self.host) as client:
            answer = client.ask("call", process="pong", request="hello", timeout_ms=300)
        self.assertEqual(answer["error"]["code"], "timed_out")
        self.assertLess(time.monotonic() - start, 4)


class Trust(AdminCase):
    def test_A10_a_root_that_others_may_write_is_refused(self):
        # Whoever may write there may trust a key of his own, and so run what he likes as the host.
        for path, mode in ((self.host.root, 0o777), (self.host.root, 0o770), (os.path.join(self.host.root, "keys"), 0o757)):
            with self.subTest(path=path, mode=oct(mode)):
                before = os.stat(path).st_mode & 0o7777
                os.chmod(path, mode)
                self.assertEqual(self.start_again(), 5)
                self.assertIn("others may write", self.host.last_words())
                os.chmod(path, before)
        self.assert_boots()

    def test_A10_a_key_is_never_overwritten(self):
        # FILE.pub was replaced, and whatever was at FILE.tmp deleted with all in it.
        key = self.running.path("mine.key")
        with open(key + ".pub", "w") as file:
            file.write("precious")
        os.makedirs(key + ".tmp/precious")
        done = self.run_baton("key", "generate", key)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("mine.key.pub is there already", done.stderr)
        with open(key + ".pub") as file:
            self.assertEqual(file.read(), "precious")
        self.assertFalse(os.path.exists(key))
        os.remove(key + ".pub")
        self.assert_done("key", "generate", key)
        self.assertTrue(os.path.isdir(key + ".tmp/precious"))
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)

    def test_A10_control_characters_do_not_reach_the_terminal(self):
        # U+009B begins a command to the terminal as ESC [ does.
        for words in (("--socket", "/tmp/\u009b31m\x1b[2J\x7f", "status"), ("-o", "json", "info", "no \u009b31m such")):
            done = self.run_baton(*words)
            self.assertNotEqual(done.returncode, 0)
            said = done.stdout + done.stderr
            self.assertIn("31m", said)
            for raw in ("\u009b", "\x1b", "\x7f"):
                self.assertNotIn(raw, said)


class Bundles(AdminCase):
    def test_A4_a_pipe_for_a_bundle_is_refused(self):
        # Opening it waited for somebody who writes: the release handler did nothing any more.
        pipe = self.running.path("pipe.baton")
        os.mkfifo(pipe)
        for verb in ("plan", "upgrade"):
            done = self.run_baton(verb, pipe)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertIn("not a regular file", done.stderr)
        self.assert_done("release", "unpack", self.packer.pack(CLASSICS))

    def test_A4_a_device_or_a_directory_for_a_bundle_is_refused(self):
        for path in ("/dev/zero", "/dev/tty", self.host.root):
            with self.subTest(path):
                done = self.run_baton("upgrade", path)
                self.assertEqual(done.returncode, 6, done.stderr)
                self.assertIn("not a regular file", done.stderr)


class Connections(AdminCase):
    SILENT = 64

    def test_A5_silent_connections_lock_nobody_out(self):
        # A time-out of the socket does not end Asio's synchronous reads: each of 64 places was lost for ever.
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(Client(self.host)) for _ in range(self.SILENT)]
            self.assert_done("status")
            for half in silent[: self.SILENT // 2]:
                with contextlib.suppress(OSError):
                    half.socket.sendall(b"POST /v1/status HTTP/1.1\r\nContent-Le")
            self.assert_done("status")
            # And they are cut off in time.
            with self.assertRaises((ConnectionError, json.JSONDecodeError)):
                silent[-1].socket.settimeout(30)
                silent[-1].answer()

    def test_A5_the_command_line_does_not_wait_for_ever(self):
        path = self.running.path("deaf.sock")
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(path)
            deaf.listen()
            done = self.run_baton("--socket", path, "status", within=40)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("does not answer", done.stderr)


if __name__ == "__main__":
    main()
