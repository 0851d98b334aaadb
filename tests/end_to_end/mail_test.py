"""Mail in flight crosses versions: chat 1.0.0 -> 1.1.0 (a member more) -> 1.2.0 (another name, a member less, a hook),
and back; and -> 1.3.0, which no longer takes two of the messages."""

import os
import threading

from host import HostCase, built, main, wait_until

CHAT = """\
name: chat
version: {version}
sequence: {sequence}
{more}modules:
  - {{name: chat, version: {version}}}
applications:
  - name: chat
    supervisor:
      strategy: rest_for_one
      children:
        - {{id: lobby, module: chat, behaviour: room, name: lobby}}
        - {{id: hall, module: chat, behaviour: room, name: hall}}
"""


def chat(version, more=""):
    return CHAT.format(version=version, sequence=1 + int(version.split(".")[1]), more=more)


class ChatCase(HostCase):
    """Rooms of the first version that run, and that nobody may die in."""
    first = "1.0.0"

    def setUp(self):
        super().setUp()
        self.host.deploy(chat(self.first))
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


class MailInFlight(ChatCase):
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


class Hooks(ChatCase):
    """The time of a meeting is a text in 1.1.0 and a number in 1.2.0, whose hooks make the one of the other."""
    first = "1.1.0"

    def test_what_waits_and_what_comes_later_goes_by_them_up_and_down(self):
        self.host.must("suspend", "lobby")
        self.cast('{meet,<<"19:30">>}')
        self.upgrade("1.2.0")
        self.host.must("resume", "lobby")
        self.cast('{meet,<<"00:10">>}')
        self.cast('{meet,<<"noon">>}')
        self.host.must("suspend", "lobby")
        self.cast("{meet,61}")
        self.host.must("rollback")
        self.host.must("resume", "lobby")
        self.assertEqual(self.lines(), ["meet in 1170", "meet in 10", "meet at 01:01"])
        self.assertIn("does not take this form: cast meet (message_change: noon is no time)", self.host.log_text())

    def test_the_plan_says_which_messages_go_by_them(self):
        plan = self.packer.pack(chat("1.2.0"))
        mail = {each["message"]: each for each in self.host.cli("plan", plan)["modules"][0]["behaviours"][0]["mail"]}
        self.assertEqual(mail["cast meet"]["outcome"], "by hook")
        self.assertEqual(mail["cast meet"]["fields"], ["minutes: i64 with its default, 0", "at: string dropped"])
        self.assertRegex(self.host.must("plan", plan), r"cast meet +by hook")

    def test_one_that_throws_refuses_the_upgrade_unless_such_mail_is_dropped(self):
        self.host.must("suspend", "lobby")
        self.cast('{meet,<<"noon">>}')
        self.cast('{meet,<<"12:00">>}')
        bundle = self.packer.pack(chat("1.2.0"))
        self.assert_refused(6, r"1 of cast meet \(message_change: noon is no time\); cure: .*--mail drop", "upgrade", bundle)
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0")
        self.upgrade("1.2.0", "--mail", "drop")
        self.host.must("resume", "lobby")
        self.assertEqual(self.lines(), ["meet in 720"])

    def test_one_that_never_returns_costs_the_process_that_it_is_called_for(self):
        self.upgrade("1.2.0")
        self.cast('{meet,<<"never">>}', "hall")
        # The other rooms go on, and so does the way back.
        self.cast('{meet,<<"00:10">>}')
        self.assertEqual(self.lines(), ["meet in 10"])
        self.host.must("rollback")
        self.assertEqual(self.lines(), ["meet in 10"])
        wait_until(lambda: self.host.baton("call", "hall", "lines").stdout.strip() == "[]", "the hall is there again")
        self.pids = self.processes()


class BrokenContract(ChatCase):
    """1.3.0 does not take {score,Value}, {post,Weight,Text}, {remind,Ms,N} and {tick,N} any more."""
    first = "1.2.0"

    def setUp(self):
        super().setUp()
        self.cast("{remind,600000,1}")  # a timer has {tick,1}
        self.lines()
        for room in ("lobby", "hall"):
            self.host.must("suspend", room)
        self.cast("{score,0.5}")
        self.cast("{score,0.25}")
        self.cast('{tell,<<"ann">>,<<"hi">>}')
        self.cast("{score,1.0}", "hall")

    def upgraded(self, *options, more=""):
        """What the take-over counted of mail, and the lines of the lobby when all is handled."""
        shown = self.host.cli("upgrade", self.packer.pack(chat("1.3.0", more)), "--probation", "0s", *options)
        for room in ("lobby", "hall"):
            self.host.must("resume", room)
        counts = {key[5:]: count for key, count in shown["take_over"].items() if key.startswith("mail_")}
        return counts, self.lines()

    def assert_refused_upgrade(self, *options, more=""):
        self.assert_refused(6, r"contract broken: .* is no longer taken.*--mail drop or --mail deliver",
                            "upgrade", self.packer.pack(chat("1.3.0", more)), *options)
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.2.0")

    def test_the_plan_counts_such_mail_by_the_type_of_the_message(self):
        bundle = self.packer.pack(chat("1.3.0"))
        plan = self.host.cli("plan", bundle)
        self.assertEqual({each["message"]: each["waiting"] for each in plan["breaks"]},
                         {"cast score": 3, "call post": 0, "cast remind": 0, "info tick": 1})
        self.assertEqual({(each["module"], each["behaviour"]) for each in plan["breaks"]}, {("chat", "room")})
        text = self.host.must("plan", bundle)
        self.assertRegex(text, r"contract +break +chat:room: cast score is no longer taken.*; refused without --mail drop "
                               r"or --mail deliver, 3 such messages wait now")
        self.assertRegex(text, r"call post is no longer taken.*, 0 such messages wait now")
        # Counting them changed nothing.
        self.host.must("resume", "lobby")
        self.assertEqual(self.lines(), ["score 0.500000", "score 0.250000", "tell ann: hi"])

    def test_it_is_refused_if_nobody_says_what_becomes_of_such_mail(self):
        self.assert_refused_upgrade()

    def test_the_operator_lets_it_be_dropped(self):
        self.assertEqual(self.upgraded("--mail", "drop"),
                         ({"moved": 0, "dropped": 4, "delivered": 0}, ["tell ann: hi"]))

    def test_the_operator_lets_it_be_delivered_and_it_is_the_error_of_who_sent_it(self):
        self.assertEqual(self.upgraded("--mail", "deliver"),
                         ({"moved": 0, "dropped": 0, "delivered": 4}, ["tell ann: hi"]))
        self.assertEqual(self.host.log_text().count("does not take this form: cast score"), 3)

    def test_the_release_says_it(self):
        self.assertEqual(self.upgraded(more="mail: drop\n"),
                         ({"moved": 0, "dropped": 4, "delivered": 0}, ["tell ann: hi"]))

    def test_the_operator_has_the_last_word(self):
        self.assert_refused_upgrade("--mail", "refuse", more="mail: drop\n")
        self.assertEqual(self.upgraded("--mail", "deliver", more="mail: drop\n")[0]["delivered"], 4)

    def test_who_asked_for_something_that_is_dropped_hears_of_it(self):
        answers = []
        asker = threading.Thread(
            target=lambda: answers.append(self.host.baton("call", "lobby", '{post,1,<<"news">>}', "--timeout-ms", "15000")))
        asker.start()
        try:
            wait_until(lambda: self.host.cli("info", "lobby")["value"]["message_queue_len"] >= 4, "the request waits")
            counts, lines = self.upgraded("--mail", "drop")
        finally:
            asker.join()
        self.assertEqual(counts["dropped"], 5)
        self.assertEqual(lines, ["tell ann: hi"])
        self.assertNotEqual(answers[0].returncode, 0)
        self.assertIn("dropped in an upgrade", answers[0].stderr)


class PackFrom(HostCase):
    def pack(self, description, *options):
        release = self.running.path("next.yaml")
        with open(release, "w") as file:
            file.write(description)
        self.bundle = self.running.path("next.baton")
        return ("pack", release, "--modules", built("modules"), "--key", self.packer.key, "--output", self.bundle, *options)

    def test_what_could_not_take_over_is_not_packed(self):
        before = self.packer.pack(chat("1.2.0"))
        self.assert_refused(6, r"chat 1\.3\.0 cannot take over from 1\.2\.0: .*cast score is no longer taken",
                            *self.pack(chat("1.3.0"), "--from", before))
        self.assertEqual([name for name in os.listdir(self.running.path("")) if name.startswith("next.baton")], [])
        self.host.must(*self.pack(chat("1.3.0", "mail: drop\n"), "--from", before))
        self.assertTrue(os.path.exists(self.bundle))

    def test_what_can_take_over_is_packed(self):
        for before, after in (("1.0.0", "1.1.0"), ("1.1.0", "1.2.0"), ("1.2.0", "1.2.0")):
            with self.subTest(after):
                self.host.must(*self.pack(chat(after), "--from", self.packer.pack(chat(before))))

    def test_a_bundle_that_is_not_there_is_named(self):
        self.assert_refused(4, r"/nowhere\.baton", *self.pack(chat("1.3.0"), "--from", "/nowhere.baton"))


if __name__ == "__main__":
    main()
