"""What must be refused: one clear message, the exit code of the table, nothing staged, the release that runs untouched."""

import os
import re
import shutil

from host import CLI_SECONDS, HostCase, built, demo, main, run_baton, wait_until

BAD_RELEASE = """\
name: demo
version: 2.0.0
sequence: 9
modules:
  - {name: bad, version: 1.0.0}
"""


CELLS = """\
name: cells
version: {version}
sequence: {sequence}
modules:
  - {{name: brittle, version: {version}}}
applications:
  - name: cells
    supervisor:
      children:
"""
CELL_COUNT = 3000  # brittle 1.2.0 takes over each in about a millisecond


def cells(version, sequence):
    """A release of many processes of brittle."""
    return CELLS.format(version=version, sequence=sequence) + "".join(
        f"        - {{id: cell_{i}, module: brittle, behaviour: cell, args: '[{i}]', name: cell_{i}}}\n"
        for i in range(CELL_COUNT))


class RefusalsCase(HostCase):
    """With demo 1.0.0 running; afterwards it must still be there as it was."""

    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))
        self.before = self.what_runs()

    def what_runs(self):
        return (self.host.statuses(), self.host.cli("ps", "--module", "web"), self.host.cli("status")["crashes"])

    def tearDown(self):
        super().tearDown()
        self.assert_nothing_staged()
        self.assertEqual(self.what_runs(), self.before)
        self.assertEqual(self.host.redis("PING"), "+PONG")
        self.assertEqual(self.host.http("GET", "/health")[0], 200)


class Bundles(RefusalsCase):
    def spoilt(self, spoil):
        """A bundle of 1.1.0 whose bytes are what `spoil` makes of them."""
        with open(self.packer.pack(demo("1.1.0")), "rb") as file:
            content = file.read()
        path = self.running.path("spoilt.baton")
        with open(path, "wb") as file:
            file.write(spoil(content))
        return path

    def test_a_flipped_byte_is_refused_wherever_it_is(self):
        def flip(at):
            return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]

        with open(self.packer.pack(demo("1.1.0")), "rb") as file:
            content = file.read()
        places = {"in the manifest": 600, "in the signature": content.index(b"untrusted comment") + 120,
                  "early in the payload": content.index(b"payload.tar.zst") + 2000,
                  "in the middle of the payload": len(content) // 2}
        for where, at in places.items():
            with self.subTest(where):
                path = self.spoilt(flip(at))
                for verb in ("verify", "plan", "upgrade"):
                    if verb != "plan" or "payload" not in where:  # a plan reads the manifest only
                        self.assert_refused(6, r"spoilt\.baton", verb, path)

    def test_a_truncated_bundle_is_refused(self):
        for part in (0, 100, 512, 5000, -3000):
            with self.subTest(bytes=part):
                path = self.spoilt(lambda content, part=part: content[:part])
                self.assert_refused(6, r"spoilt\.baton", "upgrade", path)

    def test_something_else_than_a_bundle_is_refused(self):
        self.assert_refused(6, r"spoilt\.baton", "upgrade", self.spoilt(lambda content: b"hello" * 1000))

    def test_a_missing_signature_is_refused(self):
        def unsigned(content):
            at = content.index(b"manifest.minisig")
            after = content.index(b"payload.tar.zst", at)
            return content[:at] + content[after:]

        self.assert_refused(6, r"sign", "upgrade", self.spoilt(unsigned))

    def test_a_foreign_signature_is_refused_and_the_cure_is_named(self):
        bundle = self.packer.pack(demo("1.1.0"), key=self.packer.new_key("foreign"))
        self.assert_refused(6, r"key [0-9A-F]{16}.*baton key trust", "upgrade", bundle)

    def test_a_revoked_key_is_refused(self):
        key = self.packer.new_key("revoked")
        self.host.must("key", "trust", key + ".pub")
        identity = self.host.cli("key", "list")
        trusted = [each["key"] for each in identity if each["status"] == "trusted"]
        bundle = self.packer.pack(demo("1.1.0"), key=key)
        signer = self.host.cli("verify", bundle)["key"]
        self.assertIn(signer, trusted)
        self.host.must("key", "revoke", signer)
        self.assert_refused(6, r"revoked", "upgrade", bundle)

    def test_a_lower_sequence_is_refused(self):
        self.host.must("release", "unpack", self.packer.pack(demo("1.1.0")))
        older = demo("1.1.0").replace("version: 1.1.0\nsequence: 2", "version: 1.0.9\nsequence: 1", 1)
        self.assertIn("1.0.9", older)
        self.assert_refused(6, r"sequence", "upgrade", self.packer.pack(older))
        self.host.must("release", "remove", "demo", "1.1.0")

    def test_a_release_of_another_name_is_refused(self):
        other = demo("1.1.0").replace("name: demo", "name: another", 1)
        self.assert_refused(6, r"another.*demo|demo.*another", "upgrade", self.packer.pack(other))

    def test_a_bundle_that_is_not_there_is_named(self):
        self.assert_refused(4, r"/nowhere\.baton", "upgrade", "/nowhere.baton")


class Modules(RefusalsCase):
    def pack_gated(self, library):
        """What `baton pack` says to a release with this library of tests/modules/gate."""
        directory = self.running.path(f"modules-{library}")
        os.makedirs(os.path.join(directory, "bad", "1.0.0"))
        shutil.copy(built("tests", "modules", "gate", f"{library}.so"), os.path.join(directory, "bad", "1.0.0", "bad.so"))
        release = self.running.path("bad.yaml")
        with open(release, "w") as file:
            file.write(BAD_RELEASE)
        self.bundle = self.running.path(f"{library}.baton")
        return ("pack", release, "--modules", directory, "--key", self.packer.key, "--output", self.bundle)

    def test_a_module_for_another_abi_is_refused(self):
        self.assert_refused(6, r"bad\.so.*(?i:abi).*2\.0", *self.pack_gated("abi_major"))
        self.assertFalse(os.path.exists(self.bundle))
        self.assert_refused(6, r"bad\.so.*(?i:abi).*1\.99", *self.pack_gated("abi_minor"))

    def test_a_module_that_the_gate_refuses_is_refused(self):
        for library, rule in {"import_fork": "fork", "rpath": "RPATH", "textrel": "(?i)text", "note_missing": "note",
                              "thread_local": "thread", "writable_global": "requests_seen",
                              "nodelete": "(?i)nodelete", "unique": "unique"}.items():
            with self.subTest(library):
                self.assert_refused(6, r"bad\.so.*" + rule if "(?i)" not in rule else rule, *self.pack_gated(library))
                self.assertFalse(os.path.exists(self.bundle))


class Descriptions(RefusalsCase):
    def assert_not_packed(self, status, message, description):
        release = self.running.path("release.yaml")
        with open(release, "w") as file:
            file.write(description)
        bundle = self.running.path("release.baton")
        self.assert_refused(status, message, "pack", release, "--modules", built("modules"), "--key", self.packer.key,
                            "--output", bundle)
        self.assertFalse(os.path.exists(bundle))

    def test_an_error_in_yaml_is_told_with_file_line_and_column(self):
        text = demo("1.0.0")
        for wrong, message in {
                text.replace("sequence: 1", "sequence: one"): r"release\.yaml:\d+:\d+: .*sequence",
                text.replace("channel: stable", "chanel: stable"): r"release\.yaml:\d+:\d+: .*chanel",
                text.replace("duration: 30s", "duration: 30"): r'release\.yaml:\d+:\d+: .*duration.*"30s"',
                text.replace("modules:\n", "modules: [\n"): r"release\.yaml:\d+:\d+: ",
                text + "version: 1.0.0\n": r"release\.yaml:\d+:\d+: .*version",
        }.items():
            with self.subTest(message):
                self.assertNotEqual(wrong, text)
                self.assert_not_packed(2, message, wrong)

    def test_an_unknown_module_is_told_with_where_it_was_looked_for(self):
        self.assert_not_packed(4, r"kv.*9\.9\.9",
                               demo("1.0.0").replace("{name: kv, version: 1.0.0}", "{name: kv, version: 9.9.9}"))


class Requests(RefusalsCase):
    def test_an_unknown_release_is_refused(self):
        message = r"there is no release {}9\.9\.9 here; baton release list shows those that are$"
        self.assert_refused(4, message.format("demo-"), "release", "install", "demo", "9.9.9")
        self.assert_refused(4, message.format("demo-"), "release", "remove", "demo", "9.9.9")
        self.assert_refused(4, message.format(""), "rollback", "9.9.9")
        self.assert_refused(4, r"old release.*baton release list", "rollback")

    def test_an_unknown_process_is_refused(self):
        for verb in ("info", "state", "call", "cast", "send", "suspend", "resume", "stop", "kill"):
            request = ("hello",) if verb in ("call", "cast", "send") else ()
            with self.subTest(verb):
                self.assert_refused(4, r"no such process <0\.99999\.9>; baton ps lists those alive$", verb,
                                    "<0.99999.9>", *request)
                self.assert_refused(4, r"no such process nobody: .*; baton ps lists those alive$", verb, "nobody",
                                    *request)

    def test_an_unknown_operation_is_refused(self):
        self.assert_refused(4, r"operation 9999", "operation", "9999")

    def test_a_term_that_does_not_parse_is_refused(self):
        self.assert_refused(2, r"request.*", "call", "desk", "{not,a")

    def test_the_release_that_runs_cannot_be_removed(self):
        self.assert_refused(2, r"demo-1\.0\.0|1\.0\.0", "release", "remove", "demo", "1.0.0")

    def test_a_wrong_duration_is_refused(self):
        bundle = self.packer.pack(demo("1.1.0"))
        self.assert_refused(2, r'--probation.*"30s"', "upgrade", bundle, "--probation", "30")
        self.assert_refused(2, r'--probation.*"0\.3s".*"300ms"', "upgrade", bundle, "--probation", "0.3s")

    def test_wrong_usage_is_status_2(self):
        for words in ((), ("nonsense",), ("upgrade",), ("call", "desk"), ("--no-such-option", "status"),
                      ("-o", "xml", "status"), ("release",), ("ps", "--limit", "many")):
            with self.subTest(words):
                done = self.host.baton(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")


class WhileAnOperationRuns(HostCase):
    configuration = "take_over: {budget: 60s}\n"

    def setUp(self):
        super().setUp()
        self.host.deploy(cells("1.0.0", 1))
        self.other = self.packer.pack(cells("1.3.0", 3))
        slow = self.packer.pack(cells("1.2.0", 2))
        self.slow = self.running.start([built("bin", "baton"), "--root", self.host.root, "upgrade", slow, "--probation",
                                        "0s"], log="slow.log")
        wait_until(lambda: " load " in self.said(), "the slow upgrade takes over")

    def said(self):
        with open(self.running.path("slow.log")) as file:
            return file.read()

    def test_every_other_is_refused_and_it_goes_on_to_its_end(self):
        # when
        refusals = [self.assert_refused(9, r"operation \d+ \(upgrade .*\.baton by .+, since 20.*\) is under way",
                                        *words) for words in (
                    ("upgrade", self.other), ("rollback",), ("rollback", "1.0.0", "--accept-loss"),
                    ("release", "install", "cells", "1.0.0"), ("release", "unpack", self.other),
                    ("release", "remove", "cells", "1.0.0"), ("release", "make-permanent"))]
        # then
        self.assertEqual(len(set(refusals)), 1, refusals)
        cure = re.search(r"await its end with: baton (operation \d+)$", refusals[0])
        self.assertTrue(cure, refusals[0])
        self.assertNotIn(" take_over ", self.said())
        self.host.must(*cure.group(1).split())
        self.assertEqual(self.slow.wait(CLI_SECONDS), 0, self.said())
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.2.0": "permanent"})
        self.assertEqual({each["version"] for each in self.host.cli("ps", "--module", "brittle")["processes"]},
                         {"1.2.0"})
        self.assertEqual(self.host.must("state", "cell_7"),
                         "#{label => <<\"slow\">>,totals => #{<<\"start\">> => 7},value => 7}")
        self.assert_nothing_staged()
        # and what was refused can be done now
        self.host.must("upgrade", self.other, "--probation", "0s")
        self.assertEqual(self.host.statuses()["1.3.0"], "permanent")


class Others(HostCase):
    def test_an_upgrade_while_another_is_in_probation_is_refused(self):
        self.host.deploy(demo("1.0.0"))
        self.host.must("upgrade", self.packer.pack(demo("1.1.0")), "--probation", "60s", "--detach")
        wait_until(lambda: self.host.cli("status")["probation"], "1.1.0 is in probation")
        self.assert_refused(9, r"demo-1\.1\.0.*probation.*(permanent|roll)", "upgrade",
                            self.packer.pack(demo("1.2.0")))
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0")

    def test_no_host_is_status_3_and_the_cure_is_named(self):
        self.host.stop()
        for words in (("status",), ("call", "desk", "totals"), ("release", "list"), ("rollback",)):
            with self.subTest(words):
                self.assert_refused(3, r"batond.sock.*start one with batond", *words)

    def test_a_second_host_in_the_same_directory_is_refused(self):
        other = self.running.start([built("bin", "batond"), "--root", self.host.root], log="second.log")
        self.assertNotEqual(other.wait(20), 0)
        self.assertEqual(self.host.baton("status").returncode, 0)

    def test_a_wrong_configuration_is_told_with_file_line_and_column(self):
        path = self.running.path("batond.yaml")
        with open(path, "w") as file:
            file.write("root: /tmp\nlog:\n  level: loud\n")
        other = self.running.start([built("bin", "batond"), "--config", path], log="second.log")
        self.assertEqual(other.wait(20), 2)
        message = r"batond\.yaml:3:\d+: .*level.*debug"
        with open(self.running.path("second.log")) as file:
            self.assertRegex(file.read(), message)
        self.assert_refused(2, message, "config", "check", path)
        self.assert_refused(4, r"/nowhere\.yaml", "config", "check", "/nowhere.yaml")

    def test_a_host_with_options_it_does_not_know_is_status_2(self):
        other = self.running.start([built("bin", "batond"), "--nonsense"], log="second.log")
        self.assertEqual(other.wait(20), 2)
        with open(self.running.path("second.log")) as file:
            self.assertIn("--nonsense", file.read())

    def test_a_right_configuration_is_found_valid_without_a_host(self):
        self.host.stop()
        path = self.running.path("batond.yaml")
        with open(path, "w") as file:
            file.write("root: /srv/baton\ntake_over: {budget: 2s}\n")
        self.assertEqual(self.host.cli("config", "check", path), {"file": path, "root": "/srv/baton"})
        self.assertEqual(self.host.must("config", "check", path), f"{path}: valid")

    def test_a_bundle_is_judged_without_a_host_too(self):
        self.host.stop()
        bundle = self.packer.pack(demo("1.0.0"))
        self.host.must("verify", bundle)
        self.assertEqual(run_baton("--root", "/nowhere", "verify", bundle).returncode, 6)


if __name__ == "__main__":
    main()
