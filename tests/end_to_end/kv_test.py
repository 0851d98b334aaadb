"""kv on a real host: that it answers as Redis does, whichever version serves and while versions change."""

import subprocess

from host import HostCase, built, main, needs, resp, wait_until

RELEASE = """\
name: kv_only
version: {version}
sequence: {sequence}
modules:
  - {{name: kv, version: {version}}}
applications:
  - name: kv
    supervisor:
      children:
        - {{id: kv, module: kv, behaviour: kv}}
listeners:
  - {{name: kv, protocol: tcp, address: "127.0.0.1:0"}}
"""
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
ROUNDS_OF_A_VERSION = 1000
ROUNDS_OF_CHANGES = 8000


def release(version):
    return RELEASE.format(version=version, sequence=VERSIONS.index(version) + 1)


class Kv(HostCase):
    def differential(self, level, rounds):
        """The client that asks both and compares."""
        return self.running.start([built("tests", "end_to_end", "differential"), f"--level={level}", f"--rounds={rounds}",
                                   f"--port={self.host.port('kv')}"], stdout=subprocess.PIPE, text=True)

    def assert_no_difference(self, client):
        said = client.stdout.read()
        self.assertEqual(client.wait(), 0, said)

    @needs("redis-server")
    def test_every_version_answers_as_redis_does(self):
        for version in VERSIONS:
            with self.subTest(version):
                self.host.deploy(release(version))
                self.assert_no_difference(self.differential(version, ROUNDS_OF_A_VERSION))

    @needs("redis-server")
    def test_nobody_can_tell_from_the_replies_that_versions_change(self):
        self.host.deploy(release("1.0.0"))
        client = self.differential("1.0.0", ROUNDS_OF_CHANGES)
        changes = 0
        while client.poll() is None:
            self.host.deploy(release("1.1.0"))
            self.host.deploy(release("1.2.0"))
            self.host.must("rollback", "1.1.0")
            self.host.must("rollback", "1.0.0")
            changes += 4
        self.assert_no_difference(client)
        self.assertGreater(changes, 4)

    def test_a_command_begun_with_one_version_is_ended_with_a_later_one(self):
        self.host.deploy(release("1.0.0"))
        with self.host.connect("kv") as client:
            parts = resp("SET", "k", "hello")
            client.send(parts[:10])
            self.host.deploy(release("1.1.0"))
            client.send(parts[10:-4])
            self.host.deploy(release("1.2.0"))
            client.send(parts[-4:])
            self.assertEqual(client.reply(), "+OK")
            self.assertEqual(client.command("GET", "k"), "hello")

    def test_keys_expire_though_nobody_looks_for_them(self):
        self.host.deploy(release("1.1.0"))
        with self.host.connect("kv") as client:
            for i in range(50):
                client.command("SET", f"key:{i}", "v", "PX", "1")
            wait_until(lambda: client.command("DBSIZE") == ":0", "the sweep removes them")
            self.assertIn("expired_keys:50", client.command("INFO", "stats"))


if __name__ == "__main__":
    main()
