"""What becomes of a release that is bad, and of data that the version before cannot hold."""

import threading

from host import HostCase, demo, main, wait_until

KV_WITH_LISTS = (("version: 1.1.0", "version: 1.3.0"), ("sequence: 2", "sequence: 9"), ("[1.0.0]", "[1.1.0]"),
                 ("name: kv, version: 1.1.0", "name: kv, version: 1.2.0"))


def with_lists():
    """demo 1.3.0: as 1.1.0, with kv 1.2.0."""
    text = demo("1.1.0")
    for old, new in KV_WITH_LISTS:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


class TheBadRelease(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))
        self.host.deploy(demo("1.1.0"))

    def test_it_is_rolled_back_by_itself_under_load(self):
        # given: a connection, an order and a client that keeps asking
        order = self.host.http("POST", "/orders", {"item": "tea", "quantity": 2, "price": 300})[1]
        bundle = self.packer.pack(demo("1.2.0"))
        is_over = threading.Event()
        seen = []

        def ask():
            with self.host.connect("web") as connection:
                while not is_over.is_set():
                    connection.send("GET /totals HTTP/1.1\r\nHost: test\r\n\r\n")
                    seen.append(int(connection.line().split()[1]))
                    size = 0
                    while line := connection.line():
                        if line.lower().startswith("content-length:"):
                            size = int(line.split(":")[1])
                    connection.file.read(size)

        with self.host.connect("kv") as redis:
            redis.command("SET", "name", "value")
            client = threading.Thread(target=ask)
            client.start()
            # when
            try:
                self.assert_refused(7, r"demo-1\.2\.0 was rolled back: .+", "upgrade", bundle)
            finally:
                is_over.set()
                client.join()
            # then: the errors were real, and the old release serves the same clients
            self.assertTrue(any(status >= 500 for status in seen))
            self.assertEqual(redis.command("GET", "name"), "value")
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0")
        self.assertEqual(self.host.statuses()["1.2.0"], "failed_in_probation")
        self.assertEqual(self.host.http("GET", f"/orders/{order['id']}")[0], 200)
        self.assertEqual({each["version"] for each in self.host.cli("modules") if each["module"] == "web"}, {"1.1.0"})
        why = [each["why"] for each in self.host.cli("release", "list") if each["version"] == "1.2.0"]
        self.assertRegex(why[0], r"health|crash")
        # and it does not stand in the way of the next try
        self.host.must("upgrade", self.packer.pack(demo("1.2.0")), "--probation", "0s")

    def test_an_operator_may_keep_it_from_being_rolled_back(self):
        self.host.must("upgrade", self.packer.pack(demo("1.2.0")), "--no-auto-rollback", "--detach")
        wait_until(lambda: self.host.cli("status")["release"]["version"] == "1.2.0", "1.2.0 runs")
        self.host.must("rollback", "--reason", "seen enough")
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0")


class GoingDown(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))

    def fill(self, *commands):
        with self.host.connect("kv") as redis:
            for command in commands:
                self.assertNotRegex(str(redis.command(*command)), "^-")

    def assert_loss_is_refused_then_accepted(self, message, lost, kept, back_to):
        running = self.host.cli("status")["release"]["version"]
        self.assert_refused(6, message + r".*--accept-loss", "rollback")
        self.assertEqual(self.host.cli("status")["release"]["version"], running)
        for key in (*lost, *kept):
            self.assertEqual(self.host.redis("EXISTS", key), ":1", key)
        self.host.must("rollback", "--accept-loss")
        self.assertEqual(self.host.cli("status")["release"]["version"], back_to)
        for key in lost:
            self.assertEqual(self.host.redis("EXISTS", key), ":0", key)
        for key in kept:
            self.assertEqual(self.host.redis("EXISTS", key), ":1", key)

    def in_probation(self, description):
        version = description.split("version: ")[1].split()[0]
        self.host.must("upgrade", self.packer.pack(description), "--probation", "60s", "--detach")
        wait_until(lambda: self.host.cli("status")["release"]["version"] == version
                   and self.host.cli("status")["probation"], f"{version} is in probation")

    def expiring_keys(self):
        self.fill(("SET", "a", "1", "EX", "1000"), ("SET", "b", "2", "EX", "1000"), ("SET", "c", "3"))

    def test_keys_with_an_expiry_are_counted_and_never_made_immortal(self):
        self.in_probation(demo("1.1.0"))
        self.expiring_keys()
        self.assert_loss_is_refused_then_accepted(r"\b2 (of )?keys with an expiry", ("a", "b"), ("c",), "1.0.0")

    def test_so_they_are_when_the_release_is_permanent(self):
        self.host.deploy(demo("1.1.0"))
        self.expiring_keys()
        self.assert_loss_is_refused_then_accepted(r"\b2 (of )?keys with an expiry", ("a", "b"), ("c",), "1.0.0")

    def test_lists_are_counted_and_refuse_the_way_down(self):
        self.host.deploy(demo("1.1.0"))
        self.in_probation(with_lists())
        self.fill(("RPUSH", "list", "x", "y"), ("SET", "text", "1"), ("SET", "brief", "1", "EX", "1000"))
        self.assert_loss_is_refused_then_accepted(r"\b1 (of )?lists?", ("list",), ("text", "brief"), "1.1.0")

    def test_losses_of_several_kinds_are_each_counted(self):
        self.in_probation(demo("1.1.0"))
        self.expiring_keys()
        self.host.http("POST", "/orders", {"item": "tea", "quantity": 2, "price": 300})
        self.host.http("PUT", "/orders/1/note", {"note": "green"})
        self.assert_refused(6, r"would lose 2 of keys with an expiry and 1 of order notes; --accept-loss", "rollback")

    def test_without_loss_lists_may_come_and_go(self):
        self.host.deploy(demo("1.1.0"))
        self.in_probation(with_lists())
        self.fill(("RPUSH", "list", "x"), ("SET", "text", "1"), ("LPOP", "list"))
        self.host.must("rollback")
        self.assertEqual(self.host.redis("GET", "text"), "1")


if __name__ == "__main__":
    main()
