"""Clients that break the protocol, or never take their replies: each is told and ended, and the service goes on."""

import re
import time

from host import WAIT_SECONDS, HostCase, demo, main, resp, wait_until


class ClientsCase(HostCase):
    """With demo 1.0.0 and a connection opened before, which must work after."""

    def setUp(self):
        super().setUp()
        web = "name: web, protocol: http,"
        self.host.deploy(demo("1.0.0").replace(web, f"{web} request_timeout: 500ms,"))
        self.bystander = self.enterContext(self.host.connect("kv"))
        self.assertEqual(self.bystander.command("SET", "name", "value"), "+OK")

    def tearDown(self):
        self.assertEqual(self.bystander.command("GET", "name"), "value")
        self.assertEqual(self.host.http("GET", "/health")[0], 200)
        self.assertEqual(self.host.cli("status")["crashes"], 0)
        super().tearDown()


class Resp(ClientsCase):
    def test_malformed_input_is_answered_by_its_error_and_the_end(self):
        for sent, error in {
                "*x\r\n": "invalid multibulk length",
                "*9999999999\r\n": "invalid multibulk length",
                "*1\r\n:5\r\n": "expected '$', got ':'",
                "*1\r\n$-5\r\n": "invalid bulk length",
                "*1\r\n$99999999999\r\n": "invalid bulk length",
                'SET "unbalanced\r\n': "unbalanced quotes in request",
                "x" * 70000: "too big inline request",
        }.items():
            with self.subTest(sent[:30]), self.host.connect("kv") as client:
                client.send(resp("PING") + sent)
                self.assertEqual(client.rest(), f"+PONG\r\n-ERR Protocol error: {error}\r\n")

    def test_a_command_may_come_byte_by_byte(self):
        with self.host.connect("kv") as client:
            for byte in resp("GET", "name"):
                client.send(byte)
                time.sleep(0.005)
            self.assertEqual(client.reply(), "value")

    def test_a_client_that_goes_away_in_a_command_is_forgotten(self):
        with self.host.connect("kv") as client:
            client.send(resp("SET", "name", "other")[:-4])
        wait_until(lambda: [each["open"] for each in self.host.cli("status")["listeners"]
                            if each["name"] == "kv"] == [1], "only the bystander is connected")

    def test_a_client_that_never_reads_is_not_read_from_for_ever(self):
        # given: a value of 1 MB, asked for again and again by one that takes no reply
        self.assertEqual(self.bystander.command("SET", "large", "x" * 1_000_000), "+OK")
        memory = self.host.cli("status")["memory_bytes"]
        with self.host.connect("kv") as client:
            client.socket.setblocking(False)
            request = resp("GET", "large").encode() * 1000
            sent = 0
            quiet_since = time.monotonic()
            # when: until the host takes no more for a second, or ends the connection
            while time.monotonic() - quiet_since < 1 and sent < 64_000_000:
                try:
                    sent += client.socket.send(request)
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    break
            # then: it took a bounded part, holds a bounded part, and others are served
            self.assertLess(sent, 64_000_000)
            self.assertLess(self.host.cli("status")["memory_bytes"] - memory, 200_000_000)
            self.assertEqual(self.bystander.command("GET", "name"), "value")


class Http(ClientsCase):
    def test_malformed_input_is_answered_by_its_status_and_the_end(self):
        for sent, status in {
                "nonsense\r\n\r\n": 400,
                "GET /health HTTP/1.1\r\n\r\n": 400,  # no Host
                "GET /health HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n": 400,
                "GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3x\r\n\r\n": 400,
                "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
                "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n": 413,
                "GET /health HTTP/1.1\r\nHost: a\r\nLong: " + "x" * 70000 + "\r\n\r\n": 431,
                "GET /health HTTP/9.9\r\nHost: a\r\n\r\n": 505,
        }.items():
            with self.subTest(sent[:60]), self.host.connect("web") as client:
                client.send(sent)
                self.assertRegex(client.rest(), rf"^HTTP/1\.1 {status} ")

    def test_a_request_that_takes_too_long_is_408(self):
        with self.host.connect("web") as client:
            client.send("GET /health HTTP/1.1\r\nHost: ")
            begun = time.monotonic()
            self.assertRegex(client.rest(), r"^HTTP/1\.1 408 ")
            self.assertLess(time.monotonic() - begun, WAIT_SECONDS / 2)

    def test_a_slow_sender_does_not_win_time_byte_by_byte(self):
        with self.host.connect("web") as client:
            begun = time.monotonic()
            try:
                for byte in "GET /health HTTP/1.1\r\nHost: " + "a" * 1000:
                    client.send(byte)
                    time.sleep(0.05)
                    if time.monotonic() - begun > WAIT_SECONDS / 2:
                        self.fail("it is still listened to")
            except (BrokenPipeError, ConnectionResetError):
                pass

    def test_what_the_service_refuses_does_not_end_the_connection(self):
        with self.host.connect("web") as client:
            for _ in range(2):
                client.send("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{x}")
                self.assertRegex(client.line(), " 400 ")
                size = 0
                while line := client.line():
                    found = re.match(r"(?i)content-length: (\d+)", line)
                    size = int(found[1]) if found else size
                self.assertIn("error", client.file.read(size).decode())

    def test_a_client_that_never_reads_does_not_stop_the_others(self):
        with self.host.connect("web") as client:
            client.socket.setblocking(False)
            request = b"GET /totals HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
            sent, quiet_since = 0, time.monotonic()
            while time.monotonic() - quiet_since < 1 and sent < 256_000_000:
                try:
                    sent += client.socket.send(request)
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    break
            self.assertLess(sent, 256_000_000)
            self.assertEqual(self.host.http("GET", "/health")[0], 200)


if __name__ == "__main__":
    main()
