"""Mail in flight crosses versions: chat 1.0.0 -> 1.1.0 (a member more) -> 1.2.0 (another name, a member less), and back."""

import threading

from host import HostCase, main, wait_until

CHAT = """\
name: chat
version: {version}
sequence: {sequence}
modules:
  - {{name: chat, version: {version}}}
applications:
  - name: chat
    supervisor:
      strategy: rest_for_one
      children:
        - {{id: lobby, module: chat, behaviour: room, name: lobby}}
        - {{id: hall, module: chat, behaviour: room, name: hall}}
"""


def chat(version):
    return CHAT.format(version=version, sequence=1 + int(version.split(".")[1]))


class MailInFlight(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(chat("1.0.0"))
        self.pids = self.processes()

    def tearDown(self):
        # Nobody died of a message.
        self.assertEqual(self.processes(), self.pids)
        super().tearDown()

    def processes(self):
        return {name: self.host.cli("info", name)["value"]["pid"] for name in ("lobby", "hall")}

    def upgrade(self, version, *options):
        self.host.must("upgrade", self.packer.pack(chat(version)), "--probation", "60s", "--detach", *options)
        wait_until(lambda: self.host.cli("status")["release"]["version"] == version
                   and self.host.cli("status")["probation"], f"{version} is in probation")

    def lines(self, room="lobby"):
        return self.host.cli("call", room, "lines")["value"]

    def cast(self, message, room="lobby"):
        self.host.must("cast", room, message)

    def test_what_is_held_by_suspend_is_handled_by_each_version_in_its_turn(self):
        self.host.must("suspend", "lobby")
        self.cast('{say,<<"ann">>,<<"hi">>}')
        self.host.must("send", "lobby", "{tick,1}")
        self.upgrade("1.1.0")
        self.host.must("release", "make-permanent")
        self.cast('{say,<<"bob">>,<<"ja">>,<<"de">>}')
        self.upgrade("1.2.0")
        self.cast('{tell,<<"eve">>,<<"yo">>}')
        self.host.must("rollback")
        self.host.must("rollback", "1.0.0")
        self.host.must("resume", "lobby")
        self.assertEqual(self.lines(), ["say ann: hi", "tick 1", "say bob: ja", "say eve: yo"])

    def test_what_waits_for_a_slow_receiver_is_handled(self):
        self.cast("{work,1500}")
        for number in range(50):
            self.cast(f'{{say,<<"ann">>,<<"{number}">>}}')
        self.upgrade("1.1.0")
        self.host.must("rollback")
        wait_until(lambda: len(self.lines()) == 50, "all is handled")
        self.assertEqual({line.split()[0] for line in self.lines()}, {"say"})

    def test_nothing_is_lost_under_load(self):
        # given: two who write all the time, in the form of the version that was there first
        is_over = threading.Event()
        sent = {"lobby": 0, "hall": 0}

        def write(room):
            while not is_over.is_set():
                self.host.must("send", room, f"{{tick,{sent[room]}}}")
                sent[room] += 1

        writers = [threading.Thread(target=write, args=(room,)) for room in sent]
        for writer in writers:
            writer.start()
        # when
        try:
            self.upgrade("1.1.0")
            self.host.must("release", "make-permanent")
            self.upgrade("1.2.0")
            self.host.must("rollback")
            self.host.must("rollback", "1.0.0")
        finally:
            is_over.set()
            for writer in writers:
                writer.join()
        # then: each is there once, in its order
        for room, count in sent.items():
            self.assertEqual([int(line.split()[1]) for line in self.lines(room)], list(range(count)))

    def test_the_plan_says_what_becomes_of_mail(self):
        modules = self.host.cli("plan", self.packer.pack(chat("1.1.0")))["modules"]
        mail = {each["message"]: each["outcome"] for each in modules[0]["behaviours"][0]["mail"]}
        self.assertEqual(mail["cast say"], "derivable")


if __name__ == "__main__":
    main()
