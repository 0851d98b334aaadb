"""What an earlier baton has left behind, and what a later one says: read, or refused by name."""

import lzma
import os
import shutil
import socket
import threading

from host import ROOT, Failed, Host, HostCase, built, main, wait_until
from running import Running

HEIRLOOM = """\
name: heirloom
version: {version}
sequence: {sequence}
modules:
  - {{name: heirloom, version: {version}}}
applications:
  - name: heirloom
    supervisor:
      children:
        - {{id: doubler, module: heirloom, behaviour: doubler}}
        - {{id: chest, module: heirloom, behaviour: chest}}
"""


class HeirloomCase(HostCase):
    """heirloom 1.0.0 is built by the SDK of ABI 1.0, 1.1.0 by today's."""

    def bundle(self, minor, sequence):
        return self.packer.pack(HEIRLOOM.format(version=f"1.{minor}.0", sequence=sequence),
                                modules=built("tests", "formats", "modules"))

    def call(self, request):
        return self.host.must("call", "chest", request)

    def put(self, n):
        self.host.must("cast", "chest", '{put,<<"a key that is not short, and is kept">>,%d}' % n)

    def assert_all_works(self, total):
        self.assertEqual(self.call("sum"), str(total))
        self.assertEqual(self.call("{twice,21}"), "42")
        dead = int(self.call("dead"))
        self.host.must("cast", "chest", "start")
        wait_until(lambda: self.call("dead") == str(dead + 1), "the guest has come and gone")
        ticks = self.host.must("state", "chest")
        wait_until(lambda: self.host.must("state", "chest") != ticks, "the timer goes on")


class ModulesOfAnEarlierSdk(HeirloomCase):
    def setUp(self):
        super().setUp()
        self.bundles = [self.bundle(minor, sequence=minor + 1) for minor in (0, 1)]
        self.host.must("upgrade", self.bundles[0], "--probation", "0s")

    def test_they_run_unchanged(self):
        self.put(3)
        self.put(4)
        self.assert_all_works(7)
        self.host.must("cast", "chest", "fail")
        wait_until(lambda: self.host.baton("call", "chest", "sum").stdout.strip() == "0", "it is there again, and empty")
        self.assert_all_works(0)

    def test_todays_take_over_from_them_and_give_back(self):
        self.put(5)
        self.host.must("upgrade", self.bundles[1], "--probation", "60s", "--detach")
        wait_until(lambda: self.host.cli("status")["probation"], "1.1.0 is in probation")
        self.put(6)
        self.assert_all_works(11)
        self.host.must("rollback")
        self.put(7)
        self.assert_all_works(18)
        self.host.must("upgrade", self.bundles[1], "--probation", "0s")
        self.host.must("rollback", "1.0.0")
        self.assert_all_works(18)


class RootOfAnEarlierHost(HeirloomCase):
    """What the host of a7f4255 left behind: 1.0.0 permanent and 1.0.1, of the same module, old; 1.0.2 was removed.

    It was written by that host, with its module stripped, and stopped. Only the module's file is compressed since.
    """

    def setUp(self):
        self.running = self.enterContext(Running("end-to-end"))
        root = self.running.path("node")
        shutil.copytree(os.path.join(ROOT, "tests", "formats", "root_a7f4255"), root)
        for directory, _, names in os.walk(root):
            os.chmod(directory, 0o750)
            for packed in (os.path.join(directory, name) for name in names if name.endswith(".xz")):
                with lzma.open(packed) as file, open(packed.removesuffix(".xz"), "wb") as module:
                    shutil.copyfileobj(file, module)
                os.chmod(module.name, 0o444)
                os.remove(packed)
        self.host = Host(self.running, self.packer)
        self.assertEqual(self.host.root, root)

    def start(self):
        self.host.start("--config", os.path.join(self.host.root, "batond.yaml"))

    def assert_refuses_to_start(self, file, change, message):
        """After a change of the file's text; which a refusal leaves as it is."""
        path = os.path.join(self.host.root, file)
        with open(path) as before:
            text = change(before.read())
        with open(path, "w") as newer:
            newer.write(text)
        with self.assertRaisesRegex(Failed, message):
            self.start()
        with open(path) as after:
            self.assertEqual(after.read(), text)

    def test_it_boots_is_upgraded_and_goes_back(self):
        self.start()
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.0.1": "old"})
        self.put(5)
        self.host.must("upgrade", self.bundle(1, sequence=4), "--probation", "60s", "--detach")
        wait_until(lambda: self.host.cli("status")["probation"], "1.1.0 is in probation")
        self.put(6)
        self.assert_all_works(11)
        self.host.must("rollback")
        self.assert_all_works(11)
        self.host.must("upgrade", self.bundle(1, sequence=4), "--probation", "0s")
        self.host.must("rollback", "1.0.1")
        self.assert_all_works(11)
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.0.1": "permanent", "1.1.0": "old"})
        self.host.stop()
        self.start()
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.0.1": "permanent", "1.1.0": "old"})
        self.assert_all_works(0)

    def test_what_it_took_in_last_is_remembered(self):
        self.start()
        self.assert_refused(6, "its sequence 3 was used before", "upgrade", self.bundle(1, sequence=3))

    def test_a_journal_of_a_newer_format_is_refused_by_name(self):
        first = "0000000c 6e23dcc1d3788903 n=1 format=3\n"
        self.assert_refuses_to_start("journal", lambda text: first + "what only a newer host can read\n",
                                     "journal: it is of format 3, written by a newer host; this one reads formats up to 2")

    def test_a_configuration_of_a_newer_format_is_refused_by_name(self):
        self.assert_refuses_to_start("batond.yaml", lambda text: text + "colour: red\nformat: 2\n",
                                     "this host reads formats up to 1, the file is of format 2")

    def test_a_crash_of_a_newer_format_is_named_and_stops_nobody(self):
        os.mkdir(os.path.join(self.host.root, "crashes"), 0o750)
        with open(os.path.join(self.host.root, "crashes", "20300101-000000-1.new"), "w") as file:
            file.write("baton-crash: 2\ncolour: red\n")
        self.start()
        self.assertIn("format 2", self.host.must("crash", "list"))


class OtherVersionsOfTheInterface(HostCase):
    def test_a_host_that_speaks_a_newer_one_is_named(self):
        path = self.running.path("newer.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def answer():
                with listener.accept()[0] as connection:
                    connection.recv(1 << 16)
                    body = b'{"api":"baton/2","ok":true,"data":{}}'
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
                                       + body)

            host = threading.Thread(target=answer)
            host.start()
            self.assert_refused(1, r'speaks "baton/2" .*baton/1; use that of the host', "--socket", path, "log-level")
            host.join()

    def test_a_command_line_that_speaks_a_newer_one_is_refused(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.path.join(self.host.root, "batond.sock"))
            connection.sendall(b"POST /v2/status HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            answer = b""
            while chunk := connection.recv(1 << 16):
                answer += chunk
        self.assertIn(b"this host speaks version 1 of its interface, and was asked in 2", answer)


if __name__ == "__main__":
    main()
