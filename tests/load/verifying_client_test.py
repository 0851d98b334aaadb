"""The verifying client against a real Redis and a small order desk, sound and unsound ones.

Run by ctest; by hand: VERIFYING_CLIENT=build/.../verifying_client python3 verifying_client_test.py
"""

import http.server
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import unittest

CLIENT = os.environ["VERIFYING_CLIENT"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Redis:
    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", self.directory.name],
            stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                break
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()

    def command(self, *words):
        subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True, capture_output=True)


class Desk(http.server.ThreadingHTTPServer):
    """An order desk that may be told to misbehave: fail = answer 500, forget = lose every order."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.orders = {}
        self.fail = False
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            status, reply = self.decide(body)
        text = json.dumps(reply, separators=(",", ":"))
        payload = re.sub(r'"price":"([0-9.]+)"', r'"price":\1', text).encode()  # as it was written
        self.wfile.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(payload), payload))

    do_GET = do_POST = do_DELETE = answer

    def decide(self, body):
        orders = self.server.orders
        if self.server.fail:
            return 500, {"error": "told to fail"}
        if self.command == "POST":
            order = {"id": len(orders) + 1, **json.loads(body, parse_float=str), "status": "open"}
            orders[order["id"]] = order
            return 201, order
        if self.path == "/totals" or self.path.startswith("/orders?"):
            return 200, {"orders": len(orders)}
        order = orders.get(int(self.path.rsplit("/", 1)[1]))
        if order is None:
            return 404, {"error": "no such order"}
        if self.command == "DELETE":
            order["status"] = "cancelled"
        return 200, order


class Client:
    """A running client, spoken to line by line."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([CLIENT, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, event):
        for line in self.process.stdout:
            heard = json.loads(line)
            if heard["event"] == event:
                return heard
        raise AssertionError(f"the client ended without saying {event}")

    def end(self):
        self.say("stop")
        report = self.hear("end")
        return report, self.process.wait()


def run(*arguments):
    done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True, timeout=50)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines, done.stderr


class VerifyingClientTest(unittest.TestCase):
    def test_finds_nothing_wrong_with_a_sound_redis_and_desk(self):
        with Redis() as redis, Desk() as desk:
            status, lines, _ = run("--kv", f"127.0.0.1:{redis.port}", "--web", f"127.0.0.1:{desk.port}",
                                   "--keys", "20000", "--seconds", "1")
        report = lines[-1]
        self.assertEqual(status, 0, str(report)[:2000])
        self.assertEqual([line["event"] for line in lines], ["ready", "loaded", "verified", "end"])
        self.assertGreaterEqual(lines[2]["requests"], 20000)
        self.assertEqual(report["failures"], [])
        steady = report["steps"][-1]
        for service in ("kv", "web"):
            self.assertGreater(steady[service]["requests"], 100)
            self.assertGreater(steady[service]["longest_pause_ms"], 0)

    def test_a_key_changed_behind_its_back_is_lost(self):
        with Redis() as redis, Client("--kv", f"127.0.0.1:{redis.port}", "--keys", "1000",
                                      "--kv-rate", "1") as client:
            client.hear("loaded")
            redis.command("set", "bulk:000000000500", "other")
            redis.command("del", "bulk:000000000501")
            report, status = client.end()
        self.assertEqual(status, 1)
        self.assertEqual(report["lost_keys"], 2)
        self.assertEqual(report["failed_requests"], 2)
        self.assertEqual(report["dropped_connections"], 0)
        self.assertIn("bulk:000000000500", "".join(f["what"] for f in report["failures"]))

    def test_a_server_that_ends_drops_every_connection_once(self):
        with Redis() as redis, Client("--kv", f"127.0.0.1:{redis.port}", "--kv-connections", "5") as client:
            client.hear("ready")
            redis.process.kill()
            report = client.hear("end")
            status = client.process.wait()
        self.assertEqual(status, 1)
        self.assertEqual(report["dropped_connections"], 5)

    def test_errors_count_in_the_step_in_which_they_came(self):
        with Desk() as desk, Client("--web", f"127.0.0.1:{desk.port}") as client:
            client.hear("ready")
            orders = 0
            while orders == 0:
                client.say("verify")
                orders = client.hear("verified")["requests"]
            client.say("mark bad")
            desk.fail = True
            client.say("verify")  # reads those orders, in vain
            client.hear("verified")
            desk.fail = False
            client.say("mark good again")
            bad = client.hear("step")
            while bad["step"] != "bad":
                bad = client.hear("step")
            self.assertGreaterEqual(bad["web"]["failed"], orders)
            self.assertGreater(bad["web"]["first_failure_unix_ms"], 1e12)
            report, status = client.end()
        self.assertEqual(status, 1)
        self.assertEqual(report["failed_requests"],
                         sum(step["web"]["failed"] for step in report["steps"]))
        self.assertEqual(report["steps"][-1]["step"], "good again")
        self.assertEqual(report["dropped_connections"], 0)
        self.assertEqual(report["lost_keys"], 0)

    def test_a_server_that_never_answers_is_given_up(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(16)
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            status, lines, _ = run("--kv", address, "--kv-connections", "3", "--timeout", "0.3",
                                   "--seconds", "30")
        report = lines[-1]
        self.assertEqual(status, 1)
        self.assertEqual(report["dropped_connections"], 3)
        self.assertGreaterEqual(report["failed_requests"], 3)

    def test_a_paused_server_shows_as_a_pause_and_as_silence(self):
        with Redis() as redis, Client("--kv", f"127.0.0.1:{redis.port}") as client:
            client.hear("ready")
            client.say("mark pause")
            redis.command("client", "pause", "200")
            client.say("verify")  # is answered when the pause is over
            client.hear("verified")
            report, status = client.end()
        self.assertEqual(status, 0, str(report)[:2000])
        self.assertGreater(report["steps"][-1]["kv"]["longest_pause_ms"], 100)

    def test_what_it_cannot_do_is_said_in_one_line_with_status_2(self):
        for arguments, expected in [
                ((), "give --kv or --web"),
                (("--kv", "nonsense"), "expected ADDRESS:PORT"),
                (("--kv", "127.0.0.1:1", "--keys", "many"), "--keys takes a number"),
                (("--kv",), "--kv needs a value"),
                (("--what", "1"), "unknown option --what"),
                (("--kv", f"127.0.0.1:{free_port()}"), "Connection refused")]:
            status, lines, errors = run(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertEqual(lines, [])
            self.assertRegex(errors, re.escape(expected))


if __name__ == "__main__":
    unittest.main()
