"""Known defects of listeners and connections, and of kv, end to end."""

import contextlib
import os
import resource
import socket
import threading
import time

from defects import DefectCase, demo, given, main

MEMORY_MAX = 64 << 20


def web_with(limits):
    """demo 1.0.0 with these limits of its listener web."""
    return demo("1.0.0").replace("name: web, protocol: http,", f"name: web, protocol: http, {limits},")


class Memory(DefectCase):
    configuration = f"net: {{memory_max: {MEMORY_MAX >> 20}MiB}}\n"

    def test_N1_unfinished_commands_do_not_take_more_memory_than_the_limit(self):
        # What connections held was counted nowhere: 200 with an unfinished SET of 31 MiB each took 6.2 GiB.
        with given("kv serves"):
            self.host.deploy(demo("1.0.0"))
        most = self.host.growth_by_unfinished_commands(30, seconds=12)
        self.assertLess(most, 3 * MEMORY_MAX, f"{most >> 20} MiB more than before")


class Requests(DefectCase):
    def test_N3_pipelined_requests_that_are_each_quick_are_not_answered_408(self):
        # The clock of a request ran on as long as a chunk ended within a request, whichever it was.
        with given("web serves"):
            self.host.deploy(web_with("request_timeout: 400ms"))
        request = "GET /health HTTP/1.1\r\nHost: test\r\n\r\n"
        cut = len(request) // 2
        with self.host.connect("web") as client:
            client.send(request[:cut])
            answers = []
            for _ in range(12):
                time.sleep(0.1)
                with contextlib.suppress(OSError):
                    client.send(request[cut:] + request[:cut])
                answers.append(client.line().split()[1])
                if answers[-1] != "200":
                    break
                length = 0
                while line := client.line():
                    if line.startswith("content-length:"):
                        length = int(line.split()[1])
                client.file.read(length)
        self.assertEqual(answers, ["200"] * 12)


class Descriptors(DefectCase):
    DESCRIPTORS = 300

    def test_N4_clients_cannot_take_the_descriptors_that_the_host_needs_itself(self):
        # Connections were accepted to the last descriptor: then nobody could administer the host, and an upgrade
        # could not open its bundle.
        with given("kv serves with few descriptors"):
            self.host.deploy(demo("1.0.0"))
            resource.prlimit(self.host.process.pid, resource.RLIMIT_NOFILE, (self.DESCRIPTORS, self.DESCRIPTORS))
            bundle = self.packer.pack(demo("1.1.0"))
        port = self.host.port("kv")
        with contextlib.ExitStack() as stack:
            for _ in range(self.DESCRIPTORS + 50):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            time.sleep(0.5)
            self.assert_done("status")
            self.assert_done("upgrade", bundle, "--probation", "0s", within=60)


class FullListener(DefectCase):
    PROBATION = "probation:\n  duration: 30s"
    SHORT = "probation:\n  duration: 3s"

    def test_D10_a_full_listener_does_not_fail_the_probations_checks(self):
        # A stranger who held all connections of a listener made the host roll back.
        full = {"connections_max: 10000": "connections_max: 3"}
        with given("1.0.0 runs with full listeners"):
            before, after = (self.with_words(demo(version), full) for version in ("1.0.0", "1.1.0"))
            after = self.with_words(after, {self.PROBATION: self.SHORT})
            self.host.deploy(before)
            bundle = self.packer.pack(after)
        with contextlib.ExitStack() as stack:
            with given("full listeners"):
                busy = []
                for listener in ("kv", "web"):
                    for _ in range(3):
                        busy.append((listener, stack.enter_context(self.host.connect(listener))))
                self.keep_busy(busy)
            self.assert_done("upgrade", bundle, "--detach")
            deadline = time.monotonic() + 8
            while time.monotonic() < deadline and self.host.statuses().get("1.1.0") in (None, "current", "unpacked"):
                self.keep_busy(busy)
                time.sleep(0.05)
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.1.0": "permanent"})

    def keep_busy(self, connections):
        """A command on each, so that none of them is idle."""
        for listener, connection in connections:
            if listener == "kv":
                connection.command("PING")
            else:
                connection.send("GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
                length = 0
                while line := connection.line():
                    if line.startswith("content-length:"):
                        length = int(line.split()[1])
                connection.file.read(length)

    def with_words(self, text, words):
        for old, new in words.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text


class Collisions(DefectCase):
    KEYS = 30_000
    MASK = (1 << 64) - 1
    MULTIPLIER = 0xc6a4a7935bd1e995
    INVERSE = pow(MULTIPLIER, -1, 1 << 64)

    def colliding(self, number):
        """A key of 16 bytes that the C++ library's own hash takes to where it takes all others of these.

        It is MurmurHash64A with a fixed seed: the second half is chosen so that the state after it is 0.
        """
        def mixed(word):
            word = word * self.MULTIPLIER & self.MASK
            return (word ^ word >> 47) * self.MULTIPLIER & self.MASK

        def unmixed(word):
            word = word * self.INVERSE & self.MASK
            return (word ^ word >> 47) * self.INVERSE & self.MASK

        state = 0xc70f6907 ^ 16 * self.MULTIPLIER & self.MASK
        state = (state ^ mixed(number)) * self.MULTIPLIER & self.MASK
        return number.to_bytes(8, "little") + unmixed(state).to_bytes(8, "little")

    def seconds_to_set(self, keys):
        commands = b"".join(b"*3\r\n$3\r\nSET\r\n$16\r\n" + key + b"\r\n$1\r\nv\r\n" for key in keys)
        with self.host.connect("kv") as client:
            begin = time.monotonic()
            sender = threading.Thread(target=client.socket.sendall, args=(commands,))
            sender.start()
            answers = client.file.read(len("+OK\r\n") * len(keys))
            sender.join()
            self.assertEqual(answers, b"+OK\r\n" * len(keys))
            return time.monotonic() - begin

    def test_N5_keys_that_a_client_makes_collide_do_not_hold_up_the_service(self):
        # The library's hash of strings has the same seed everywhere: 30,000 such keys took as long as their square.
        with given("kv serves"):
            self.host.deploy(demo("1.1.0").replace("upgrade_from: [1.0.0]\n", ""))
            usual = self.seconds_to_set([os.urandom(16) for _ in range(self.KEYS)])
        bad = self.seconds_to_set([self.colliding(number) for number in range(self.KEYS)])
        self.assertLess(bad, 5 * usual + 0.5, f"{bad:.2f} s, and {usual:.2f} s for any others")


class Redis(DefectCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.1.0").replace("upgrade_from: [1.0.0]\n", ""))

    def test_N6_expire_takes_the_range_of_times_that_redis_takes(self):
        # The range was that of the host's own clock, which counts from the machine's start, not from 1970.
        self.assertEqual(self.host.redis("SET", "k", "v"), "+OK")
        self.assertEqual(self.host.redis("EXPIRE", "k", "9223370399119966"),
                         "-ERR invalid expire time in 'expire' command")

    def test_N6_set_takes_the_options_of_redis_7(self):
        # GET, KEEPTTL, EXAT and PXAT were syntax errors.
        answers = [self.host.redis("SET", "k", "v", "EX", "100"),
                   self.host.redis("SET", "k", "w", "KEEPTTL"),
                   self.host.redis("TTL", "k"),
                   self.host.redis("SET", "k", "x", "GET"),
                   self.host.redis("SET", "k", "y", "EXAT", str(int(time.time()) + 1000)),
                   self.host.redis("TTL", "k") in (":999", ":1000"),
                   self.host.redis("SET", "k", "z", "PXAT", str(int(time.time() * 1000) + 10_000)),
                   self.host.redis("TTL", "k") in (":9", ":10")]
        self.assertEqual(answers, ["+OK", "+OK", ":100", "w", "+OK", True, "+OK", True])


if __name__ == "__main__":
    main()
