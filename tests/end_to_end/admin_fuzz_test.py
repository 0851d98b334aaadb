"""Random requests to the administration, by seeds: each is answered with a value or an error, and the host lives."""

import json
import os
import random
import socket

from host import CLASSICS, HostCase, main

SEEDS = range(int(os.environ.get("BATON_FUZZ_SEEDS", "4")))
REQUESTS = 250  # of each seed
ANSWER_SECONDS = 60
CODES = {"failed", "usage", "unreachable", "not_found", "denied", "refused", "rolled_back", "stuck", "busy", "timed_out"}
VERBS = ("status", "modules", "crashes", "log_level", "version", "ps", "tree", "call", "cast", "send", "info", "state",
         "suspend", "resume", "stop", "kill", "plan", "upgrade", "unpack", "install", "make_permanent", "rollback",
         "remove", "purge", "releases", "operation", "operations", "no_verb", "")
ARGUMENTS = ("process", "request", "timeout_ms", "limit", "module", "bundle", "name", "version", "id", "first_line",
             "wait_ms", "probation", "no_auto_rollback", "accept_loss", "require_hot", "mail", "reason", "level", "other")
ATOMS = ("ok", "kill", "start", "stop", "which_children", "start_child", "'EXIT'", "normal", "undefined", "'a b'", "hello")
PIECES = tuple("{}[]()<>#,|=.'\"\\ \n0aé\u009b\x00") + ("<0.1.1>", "<<1,2>>", "=>", "-1", "1.0e309", "$a", "16#")


class Dice:
    """Everything random of one seed."""

    def __init__(self, seed, processes):
        self.random = random.Random(seed)
        self.pids = [each["pid"] for each in processes]
        self.controller = next(each["pid"] for each in processes if each["behaviour"] == "application_controller")

    def term(self, depth=0):
        kind = self.random.randrange(11 if depth < 5 else 7)
        below = lambda: [self.term(depth + 1) for _ in range(self.random.randrange(4))]  # noqa: E731
        if kind == 0:
            return self.random.choice(ATOMS)
        if kind == 1:
            return str(self.random.choice((0, 1, -1, 99, 65536, 2**60, -2**63, 2**64, 10**40)))
        if kind == 2:
            return self.random.choice(("1.5", "-0.0", "1.0e300"))
        if kind == 3:
            return self.random.choice(self.pids + ["<0.500000000.1>", "<0.0.0>", "#Ref<0.1.1>"])
        if kind == 4:
            return self.random.choice(('<<"text">>', "<<1,2,255>>", '"text"', "<<>>"))
        if kind == 5:
            return f"new_{self.random.randrange(10**6)}"
        if kind == 6:
            return "[" * 600 + "]" * 600 if self.random.randrange(20) == 0 else "[]"
        if kind == 7:
            return "#{" + ",".join(f"{key}=>{self.term(depth + 1)}" for key in below()) + "}"
        if kind == 8:
            return "[" + ",".join([self.term(depth + 1)] + below()) + "|" + self.term(depth + 1) + "]"
        opening, closing = ("{", "}") if kind == 9 else ("[", "]")
        return opening + ",".join(below()) + closing

    def text(self):
        if self.random.randrange(3):
            return self.term()
        return "".join(self.random.choice(PIECES) for _ in range(self.random.randrange(30)))

    def value(self, name):
        if self.random.randrange(12) == 0:
            return self.random.choice((None, True, False, 0, -1, 1.5, 2**63, "", [], {}, [1], {"a": 1}, "x" * 5000))
        if name in ("timeout_ms", "wait_ms"):
            return self.random.randrange(1, 60)
        if name in ("limit", "id", "first_line"):
            return self.random.choice((0, 1, 2, 1000, 2**62))
        if name in ("no_auto_rollback", "accept_loss", "require_hot"):
            return bool(self.random.randrange(2))
        if name == "process":
            return self.random.choice(self.pids + ["pong", "factorial", "<0.9.9>", self.text()])
        if name == "bundle":
            return self.random.choice(("/dev/zero", "/", "relative", "/proc/self/mem", self.text()))
        if name == "level":
            return self.random.choice(("info", "warning", self.text()))
        return self.text()

    def request(self):
        verb = self.random.choice(VERBS)
        usual = {"call": ("process", "request", "timeout_ms"), "cast": ("process", "request"),
                 "send": ("process", "request"), "operation": ("id", "wait_ms")}.get(verb, ("process", "timeout_ms"))
        if verb in ("kill", "stop"):
            # An application's top supervisor would take the host along.
            return verb, {"process": self.random.choice((self.controller, "<0.9.9>", "nobody", "[" + self.text(), 7))}
        names = list(usual) + self.random.sample(ARGUMENTS, self.random.randrange(4))
        if self.random.randrange(20) == 0:
            names = names[1:]
        return verb, {name: self.value(name) for name in names}


class RandomRequests(HostCase):
    def setUp(self):
        super().setUp()
        # What a worker does not know ends it: its supervisor has to put up with that.
        self.host.deploy(CLASSICS.replace("supervisor:\n", "supervisor:\n      intensity: 100000\n", 1))

    def ask(self, verb, arguments):
        body = json.dumps(arguments).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(os.path.join(self.host.root, "batond.sock"))
            connection.sendall(f"POST /v1/{verb} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n"
                               "Connection: close\r\n\r\n".encode() + body)
            received = b""
            while chunk := connection.recv(1 << 16):
                received += chunk
        return json.loads(received.partition(b"\r\n\r\n")[2])

    def test_each_is_answered_and_the_host_lives(self):
        for seed in SEEDS:
            dice = Dice(seed, self.ask("ps", {})["data"]["processes"])
            for number in range(REQUESTS):
                verb, arguments = dice.request()
                asked = f"seed {seed}, request {number}: {verb} {arguments}"
                try:
                    answer = self.ask(verb, arguments)
                except (OSError, ValueError) as error:
                    self.fail(f"{asked}: {error!r}\n{self.host.last_words()}")
                self.assertEqual(answer["api"], "baton/1", asked)
                if not answer["ok"]:
                    self.assertIn(answer["error"]["code"], CODES, asked)
                    self.assertTrue(answer["error"]["message"], asked)
        self.assertEqual(self.ask("status", {})["data"]["pid"], self.host.process.pid)


if __name__ == "__main__":
    main()
