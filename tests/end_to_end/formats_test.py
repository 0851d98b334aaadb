"""What an earlier baton has left behind, and what a later one says: read, or refused by name."""

import os
import socket
import threading

from host import HostCase, built, main, wait_until

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


class ModulesOfAnEarlierSdk(HostCase):
    """heirloom 1.0.0 is built by the SDK of ABI 1.0, 1.1.0 by today's."""

    def setUp(self):
        super().setUp()
        self.bundles = [self.packer.pack(HEIRLOOM.format(version=f"1.{minor}.0", sequence=minor + 1),
                                         modules=built("tests", "formats", "modules")) for minor in (0, 1)]
        self.host.must("upgrade", self.bundles[0], "--probation", "0s")

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
