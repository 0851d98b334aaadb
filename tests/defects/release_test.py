"""Known defects of release handling, end to end."""

import json
import os
import re
import resource
import subprocess
import time

from defects import DefectCase, SmallDisk, built, demo, given, main, wait_until

# How long something is watched that must not happen.
WATCHED_SECONDS = 6


def other(description, *changes):
    """The description with these parts replaced, each of which must be there."""
    for old, new in changes:
        assert old in description, old
        description = description.replace(old, new)
    return description


def unhealthy(version):
    """A demo release whose health check cannot succeed."""
    return other(demo(version), ("path: /health", "path: /nowhere"))


def third():
    """demo 1.3.0: as 1.1.0, with another kv."""
    return other(demo("1.1.0"), ("version: 1.1.0\nsequence: 2", "version: 1.3.0\nsequence: 9"),
                 ("upgrade_from: [1.0.0]\n", ""), ("name: kv, version: 1.1.0", "name: kv, version: 1.2.0"))


class ReleaseCase(DefectCase):
    """With demo 1.0.0 permanent."""

    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))

    def journal(self):
        """Its lines."""
        with open(os.path.join(self.host.root, "journal"), "rb") as file:
            return file.read().decode().splitlines(keepends=True)

    def assert_one_truth(self, told=""):
        """What runs is what status and list say; which release that is."""
        runs = self.versions_of("web")
        self.assertEqual(runs, {self.host.cli("status")["release"]["version"]}, f"status names another; {told}")
        listed = {version for version, status in self.host.statuses().items() if status in ("current", "permanent")}
        self.assertLessEqual(runs, listed, f"the list says otherwise; {told}")
        return runs.pop()

    def kill_until_gone(self, module, until=lambda: False):
        """Kills the processes of the module until its supervisor has given up, or until that holds."""
        deadline = time.monotonic() + 20
        while not until():
            shown = self.run_baton("-o", "json", "ps", "--module", module)
            processes = json.loads(shown.stdout)["data"]["processes"] if shown.returncode == 0 else []
            if not processes:
                return
            self.run_baton("kill", processes[0]["pid"])
            if time.monotonic() > deadline:
                raise AssertionError(f"the processes of {module} are started again and again")


class Records(ReleaseCase):
    def test_D1_a_rollback_whose_reason_is_too_long_leaves_one_truth(self):
        # The record of a rollback was written after the processes had moved: one that was too long for the journal left
        # the old modules running under a journal that said the new ones do.
        with given("1.1.0 in probation"):
            self.in_probation(demo("1.1.0"))
        done = self.run_baton("rollback", "--reason", "x" * 17_000)
        self.assertEqual(self.assert_one_truth(done.stderr), "1.0.0" if done.returncode == 0 else "1.1.0", done.stderr)


class AFullDisk(ReleaseCase):
    def setUp(self):
        # Not ReleaseCase's: the disk has to be there before the release.
        DefectCase.setUp(self)
        with given("a small disk"):
            self.host.stop()
            self.disk = self.enterContext(SmallDisk(self.host.root))
            self.host.must("key", "trust", self.packer.key + ".pub")
            self.host.start()
            self.host.deploy(demo("1.0.0"))

    def room(self):
        """In the last page of the journal, which a full disk does not take away."""
        size = os.path.getsize(os.path.join(self.host.root, "journal"))
        return -size % SmallDisk.PAGE

    def reason_that_leaves(self, room, another_round):
        """A reason with which the two records that install a release leave so many bytes of the journal's last page.

        another_round: installs one, for the sizes of its records, and goes back.
        """
        while True:
            another_round()
            intent, install = [next(line for line in reversed(self.journal()) if what in line)
                               for what in (" step=take_over", " action=install ")]
            size = self.room() - room - len(intent) - len(re.sub(r"(?<= why=)x+", "", install))
            if 0 < size < 3_000:
                return "x" * size

    def there_and_back(self):
        self.in_probation(demo("1.1.0"), "--reason", "x" * 500)
        self.host.must("rollback")

    def test_D1_a_rollback_that_cannot_be_recorded_leaves_one_truth(self):
        # The same on a full disk; an upgrade to the release that had been left then said that it runs already, and one
        # to a third was made permanent while the old modules ran.
        with given("1.1.0 in probation on a full disk"):
            self.in_probation(demo("1.1.0"))
            self.disk.fill()
        told = self.run_baton("rollback", "--reason", "x" * 4_000).stderr
        runs = self.assert_one_truth(told)
        self.disk.free()
        self.run_baton("release", "make-permanent")
        done = self.run_baton("upgrade", self.packer.pack(third()), "--probation", "0s")
        if done.returncode != 0:
            self.assertEqual(self.assert_one_truth(done.stderr), runs)
            return
        self.assertEqual(self.versions_of("kv"), {"1.2.0"}, done.stderr)
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.3.0")
        self.assertEqual(self.host.statuses()["1.3.0"], "permanent")

    def test_D2_an_upgrade_whose_last_record_fails_tells_what_is_so(self):
        # An upgrade that was done but for its last record ended with status 1, "nothing changed", and was in force.
        with given("room for all records but the last"):
            reason = self.reason_that_leaves(60, self.there_and_back)
            self.disk.fill()
        done = self.run_baton("release", "install", "demo", "1.1.0", "--probation", "0s", "--reason", reason)
        runs = self.assert_one_truth(done.stderr)
        if done.returncode == 0:
            self.assertEqual(self.host.statuses()["1.1.0"], "permanent")
        elif done.returncode == 1:
            self.assertEqual(runs, "1.0.0", done.stderr)
        else:
            self.assertRegex(done.stderr, rf"\b{re.escape(runs)}\b")

    def test_D2_a_rollback_whose_last_record_fails_tells_what_is_so(self):
        # The same of a rollback to an old release; done again, it went back up.
        with given("1.1.0 permanent, and room for all records of a rollback but the last"):
            self.host.deploy(demo("1.1.0"))
            reason = self.reason_that_leaves(60, lambda: [self.host.must("rollback", version, "--reason", "x" * 200)
                                                          for version in ("1.0.0", "1.1.0")])
            self.disk.fill()
        done = self.run_baton("rollback", "1.0.0", "--reason", reason)
        runs = self.assert_one_truth(done.stderr)
        self.assertEqual(runs, "1.0.0" if done.returncode == 0 else "1.1.0", done.stderr)

    def test_N8_a_bundle_that_finds_no_room_changes_nothing_wherever_the_room_ends(self):
        bundle = self.packer.pack(demo("1.1.0"))
        before = sorted(os.listdir(os.path.join(self.host.root, "store")))
        self.disk.fill()
        size = os.path.getsize(self.disk.ballast)
        for room in [0, 4, 16, 64, 128, 256, 512]:
            os.truncate(self.disk.ballast, size - room * 1024)
            done = self.run_baton("release", "unpack", bundle)
            if done.returncode == 0:
                break
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertRegex(done.stderr, "(?i)no space left on device")
            self.assertEqual(self.host.statuses(), {"1.0.0": "permanent"}, f"{room} KiB")
            self.assertEqual(sorted(os.listdir(os.path.join(self.host.root, "store"))), before, f"{room} KiB")
            self.assertEqual(self.host.redis("PING"), "+PONG")
            self.disk.fill()
        self.disk.free()
        self.assert_done("upgrade", bundle, "--probation", "0s", within=20)
        self.assertEqual(self.assert_one_truth(), "1.1.0")

    def boots_on_a_full_disk(self, end):
        with given("1.1.0 in probation on a full disk"):
            reason = self.reason_that_leaves(60, self.there_and_back)
            self.in_probation(demo("1.1.0"), "--reason", reason)
            self.disk.fill()
            end()
        self.assert_boots()
        self.assertEqual(self.versions_of("web"), {"1.0.0"})
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.0.0")
        # The record follows when there is room.
        self.disk.free()
        wait_until(lambda: self.host.statuses()["1.1.0"] in ("failed_in_probation", "unpacked"), "it is recorded")

    def test_D3_a_host_that_died_in_probation_boots_on_a_full_disk(self):
        # The boot had to write that the release had failed, and did not happen where it could not.
        self.boots_on_a_full_disk(self.host.kill)

    def test_D3_a_host_that_was_stopped_in_probation_boots_on_a_full_disk(self):
        # So it was after an orderly stop, whose own record had failed.
        self.boots_on_a_full_disk(self.host.stop)


class OldReleases(ReleaseCase):
    def test_D4_a_damaged_manifest_of_an_unused_release_does_not_stop_the_boot(self):
        # The boot read the manifests of all releases, to collect garbage, and ended at one that was damaged.
        with given("1.1.0 permanent, and 1.0.0 old and damaged"):
            self.host.deploy(demo("1.1.0"))
            self.host.stop()
            with open(os.path.join(self.host.root, "releases", "demo-1.0.0", "manifest.yaml"), "a") as file:
                file.write("# damaged\n")
        self.assert_boots()
        self.assertEqual(self.assert_one_truth(), "1.1.0")
        refused = self.run_baton("rollback", "1.0.0")
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex(refused.stderr, "damaged|changed")
        self.assertEqual(self.assert_one_truth(), "1.1.0")


class Probation(ReleaseCase):
    def test_D6_no_upgrade_is_taken_while_one_waits_for_the_operators_verdict(self):
        # After a failed verdict without an automatic rollback another upgrade was taken: the way back of the first
        # was lost with it, and its client waited for ever.
        with given("1.1.0 with a failed verdict"):
            client = subprocess.Popen([built("bin", "baton"), "--root", self.host.root, "upgrade",
                                       self.packer.pack(unhealthy("1.1.0")), "--no-auto-rollback"],
                                      stderr=subprocess.PIPE, text=True)
            self.addCleanup(lambda: (client.kill(), client.wait()))
            self.addCleanup(client.stderr.close)
            said = next((line for line in client.stderr if "operator" in line), "")
            self.assertIn("no automatic rollback", said)
        # It keeps both modules, and has one more.
        second = other(demo("1.1.0"), ("version: 1.1.0\nsequence: 2", "version: 1.3.0\nsequence: 9"),
                       ("upgrade_from: [1.0.0]\n", ""),
                       ("modules:\n", "modules:\n  - {name: factorial, version: 1.0.0}\n"))
        done = self.run_baton("upgrade", self.packer.pack(second), "--probation", "0s")
        self.assertEqual(done.returncode, 9, f"a second upgrade ended with {done.returncode}: {done.stderr}")
        self.assert_done("rollback")
        self.assertEqual(self.assert_one_truth(), "1.0.0")
        self.assertEqual(client.wait(10), 7)

    def test_D7_a_rollback_just_after_the_automatic_one_is_refused(self):
        # An operator's rollback that came just after the automatic one went on to the release before that.
        with given("1.1.0 serves again after 1.3.0 failed"):
            self.host.deploy(demo("1.1.0"))
            bad = other(third(), ("path: /health", "path: /nowhere"))
            self.assertEqual(self.host.baton("upgrade", self.packer.pack(bad)).returncode, 7)
        done = self.run_baton("rollback")
        self.assertEqual(self.assert_one_truth(done.stderr), "1.1.0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("1.1.0", done.stderr)

    def test_D9_a_permanent_applications_end_in_probation_rolls_back(self):
        # An application that was dead passed its probation: the check of a listener only connects.
        description = other(demo("1.1.0"), ("max: 2, per: 10s", "max: 100, per: 10s"),
                            ("duration: 30s", "duration: 4s"))
        with given("1.1.0 in probation, and kv is dead"):
            upgrade = subprocess.Popen([built("bin", "baton"), "--root", self.host.root, "upgrade",
                                        self.packer.pack(description)], stderr=subprocess.PIPE, text=True)
            self.addCleanup(lambda: (upgrade.kill(), upgrade.wait()))
            self.addCleanup(upgrade.stderr.close)
            wait_until(lambda: self.host.cli("status")["probation"], "1.1.0 is in probation")
            self.kill_until_gone("kv", until=lambda: self.host.cli("status")["release"]["version"] == "1.0.0")
        told = upgrade.communicate(timeout=20)[1]
        self.assertEqual(upgrade.returncode, 7, told)
        self.assertEqual(self.assert_one_truth(), "1.0.0")
        self.assertEqual(self.host.redis("PING"), "+PONG")

    def test_D9_a_permanent_applications_end_ends_the_host(self):
        # It was logged and no more: the release stayed permanent and its listener accepted and never answered.
        with given("kv is dead"):
            self.kill_until_gone("kv")
        self.assert_ends(within=10)

    def test_D10_a_stranger_that_fills_a_listener_does_not_fail_the_probation(self):
        # The probation's own checks needed a connection of the listener's: at connections_max they failed, and the
        # release was rolled back.
        few = ("connections_max: 10000", "connections_max: 4")
        with given("a listener without room"):
            self.host.deploy(other(demo("1.0.0"), few, ("version: 1.0.0\nsequence: 1", "version: 1.0.1\nsequence: 2")))
            strangers = [self.enterContext(self.host.connect("web")) for _ in range(4)]
            self.assertEqual(len(strangers), 4)
        description = other(demo("1.1.0"), few, ("sequence: 2", "sequence: 3"), ("upgrade_from: [1.0.0]\n", ""))
        self.assert_done("upgrade", self.packer.pack(description), "--probation", "4s", within=20)

    def test_D10_a_host_without_descriptors_does_not_fail_the_probation(self):
        # So it was when clients had used up all descriptors of the host.
        with given("1.1.0 in probation, and no descriptor left"):
            self.in_probation(demo("1.1.0"))
            pid = self.host.process.pid
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            used = len(os.listdir(f"/proc/{pid}/fd"))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
        end = time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < end and not any("fail_probation" in line for line in self.journal()):
            time.sleep(0.05)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.assertEqual([line for line in self.journal() if "fail_probation" in line], [])
        self.assertEqual(self.assert_one_truth(), "1.1.0")

    def test_D10_an_automatic_rollback_gives_up_no_data(self):
        # It accepted every loss, whatever the release said of its data: a few crashes, and keys were gone.
        with given("1.1.0 in probation with a key that 1.0.0 cannot hold"):
            self.in_probation(demo("1.1.0"))
            self.assertEqual(self.host.redis("SET", "dear", "1", "EX", "1000"), "+OK")
        for _ in range(4):
            for process in self.host.cli("ps", "--module", "web")["processes"]:
                self.host.baton("kill", process["pid"])
        end = time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < end and not any("fail_probation" in line for line in self.journal()):
            time.sleep(0.05)
        self.assertEqual(self.host.redis("GET", "dear"), "1")

    def test_D11_the_probations_own_checks_are_no_traffic(self):
        # They were counted as samples, as were bytes: a release that nobody used had enough of them.
        description = other(demo("1.1.0"), ("interval: 200ms", "interval: 50ms"),
                            ("duration: 30s", "duration: 2s\n  min_samples: 5\n  when_inconclusive: roll_back"))
        done = self.run_baton("upgrade", self.packer.pack(description), within=20)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("inconclusive", done.stderr)

    def test_D11_what_clients_ask_is_traffic(self):
        description = other(demo("1.1.0"), ("duration: 30s", "duration: 2s\n  min_samples: 20\n"
                                            "  when_inconclusive: roll_back"))
        with given("1.1.0 in probation"):
            self.host.must("upgrade", self.packer.pack(description), "--detach")
            wait_until(lambda: self.host.cli("status")["probation"], "1.1.0 is in probation")
        for _ in range(25):
            self.host.redis("PING")
        wait_until(lambda: self.host.statuses()["1.1.0"] != "current", "the verdict")
        self.assertEqual(self.host.statuses()["1.1.0"], "permanent")

    def test_D20_what_a_release_removes_is_there_again_after_a_rollback(self):
        # Children and listeners that it removes ended at once: after the rollback they began empty.
        with given("a release without kv in probation"):
            self.assertEqual(self.host.redis("SET", "dear", "1"), "+OK")
            connection = self.enterContext(self.host.connect("kv"))
            self.assertEqual(connection.command("PING"), "+PONG")
            without = re.sub(r"  - name: kv\n(?:    .*\n)+", "", demo("1.1.0"))
            without = re.sub(r"  - \{name: kv.*\n|    - \{listener: kv.*\n", "", without)
            self.assertNotIn("kv", without.split("modules:")[1])
            self.in_probation(without)
        self.assert_done("rollback")
        self.assertEqual(self.host.redis("GET", "dear"), "1")
        self.assertEqual(connection.command("GET", "dear"), "1")


class Plans(ReleaseCase):
    def test_D13_a_supervisors_changed_name_is_planned_and_done(self):
        # It was in no plan, and nothing happened until the next start.
        # 1.0.1 differs from what runs in that name only.
        named = other(demo("1.0.0"), ("version: 1.0.0\nsequence: 1", "version: 1.0.1\nsequence: 2"),
                      ("      strategy: one_for_one\n", "      strategy: one_for_one\n      name: top\n"))
        plan = self.run_baton("plan", self.packer.pack(named), "--detailed-exitcode")
        self.assertIn(plan.returncode, (6, 20), f"the plan has no changes: {plan.stdout}")
        done = self.run_baton("upgrade", self.packer.pack(named), "--probation", "0s")
        if done.returncode == 0:
            self.assert_done("info", "top")
        else:
            self.assertEqual((plan.returncode, done.returncode), (6, 6), done.stderr)

    def test_D13_a_strategy_that_cannot_be_changed_is_refused_by_the_plan(self):
        # A change to simple_one_for_one was planned as new flags, and the upgrade failed after the processes had moved.
        simple = other(demo("1.1.0"), ("strategy: one_for_one", "strategy: simple_one_for_one"))
        plan = self.run_baton("plan", self.packer.pack(simple), "--detailed-exitcode")
        done = self.run_baton("upgrade", self.packer.pack(simple), "--probation", "0s")
        self.assertIn((plan.returncode, done.returncode), ((6, 6), (20, 0)), plan.stdout + done.stderr)
        self.assertEqual(self.assert_one_truth(), "1.1.0" if done.returncode == 0 else "1.0.0")


class Expiry(DefectCase):
    def test_D19_a_release_can_be_packed_with_an_expiry(self):
        # A manifest could say when its release expires, and no option of pack could make one.
        description = self.running.path("demo.yaml")
        with open(description, "w") as file:
            file.write(demo("1.0.0"))
        bundle = self.running.path("demo.baton")
        self.assert_done("pack", description, "--modules", built("modules"), "--key", self.packer.key, "--output",
                         bundle, "--expires", "2020-01-01T00:00:00Z")
        refused = self.run_baton("upgrade", bundle)
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn("expired", refused.stderr)

    def test_D19_a_host_takes_only_the_channels_it_is_set_to(self):
        # releases/README.md says that a host may be set to take only some, and no key of batond.yaml did that.
        path = self.running.path("batond.yaml")
        with open(path, "w") as file:
            file.write("channels: [stable]\n")
        with given("a host that is not running"):
            self.host.stop()
        self.assert_boots("--config", path)
        beta = other(demo("1.0.0"), ("channel: stable", "channel: beta"))
        refused = self.run_baton("upgrade", self.packer.pack(beta))
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn("beta", refused.stderr)


if __name__ == "__main__":
    main()
