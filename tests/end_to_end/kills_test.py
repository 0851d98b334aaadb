"""A host that is killed at any record of its journal boots one release or the other, and takes the next upgrade."""

import os
import shutil
import signal
import time

from host import Failed, HostCase, built, demo, main

# Above what one upgrade writes: a run that ends without a kill ends the loop.
RECORDS_MAX = 40
END_SECONDS = 30


class Kills(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))
        self.host.stop()
        self.fresh = self.running.path("fresh")
        shutil.copytree(self.host.root, self.fresh, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))

    def run_until_killed(self, variable, number, work):
        """From the fresh root; whether the host was killed at that record of what it wrote since it was started."""
        shutil.rmtree(self.host.root)
        shutil.copytree(self.fresh, self.host.root, symlinks=True)
        environment = {"LD_PRELOAD": built("tests", "end_to_end", "kill_at.so"), variable: str(number)}
        os.environ.update(environment)
        try:
            self.host.start()
            work()
        except Failed:
            if self.host.process.poll() is None:
                raise
        finally:
            for name in environment:
                del os.environ[name]
        if self.host.process.poll() is None and self.host.baton("status").returncode == 0:
            self.host.stop()
            return False
        # It is gone a while after its connections are.
        self.host.process.wait(END_SECONDS)
        self.assertEqual(self.host.process.returncode, -signal.SIGKILL, self.host.last_words())
        return True

    def assert_whole(self, where):
        """What it boots is one of the two, says so everywhere, serves, and is upgraded as if nothing had been."""
        self.host.start()
        version = self.host.cli("status")["release"]["version"]
        self.assertIn(version, ("1.0.0", "1.1.0"), where)
        statuses = self.host.statuses()
        self.assertEqual([name for name, status in statuses.items() if status == "permanent"], [version], where)
        self.assertEqual({each["version"] for each in self.host.cli("ps", "--module", "web")["processes"]}, {version},
                         where)
        self.assertEqual(self.host.redis("PING"), "+PONG", where)
        if version == "1.0.0":
            done = self.host.baton("upgrade", self.packer.pack(demo("1.1.0")), "--probation", "0s")
            self.assertEqual(done.returncode, 0, f"{where}: {done.stderr}")
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0", where)
        self.host.stop()
        return version

    def kill_at_each(self, variable, work):
        """Each version that was booted after a kill."""
        booted = []
        for number in range(1, RECORDS_MAX):
            if not self.run_until_killed(variable, number, work):
                self.assertGreater(number, 3, "an upgrade writes more records than that")
                return booted
            booted.append(self.assert_whole(f"{variable} {number}"))
        self.fail(f"an upgrade wrote {RECORDS_MAX} records")

    def upgrade(self):
        self.host.baton("upgrade", self.packer.pack(demo("1.1.0")), "--probation", "0s")

    def test_a_kill_before_any_record_of_an_upgrade_leaves_one_of_the_two(self):
        booted = self.kill_at_each("KILL_AT", self.upgrade)
        self.assertEqual(booted, sorted(booted))
        self.assertEqual(set(booted), {"1.0.0"}, "a record that was not written is of no effect")

    def test_a_kill_after_any_record_of_an_upgrade_leaves_one_of_the_two(self):
        booted = self.kill_at_each("KILL_AFTER", self.upgrade)
        self.assertEqual(booted, sorted(booted))
        self.assertEqual(booted[-1], "1.1.0", "the last record makes it permanent")

    def test_a_kill_after_any_record_of_a_rollback_leaves_the_release_before(self):
        def work():
            bundle = self.packer.pack(demo("1.1.0"))
            if self.host.baton("upgrade", bundle, "--probation", "60s", "--detach").returncode == 0:
                deadline = time.monotonic() + 5
                while time.monotonic() < deadline and self.host.process.poll() is None:
                    if self.host.baton("rollback").returncode != 9:
                        break

        for version in self.kill_at_each("KILL_AFTER", work):
            self.assertEqual(version, "1.0.0")


if __name__ == "__main__":
    main()
