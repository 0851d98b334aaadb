"""Known defects of the runtime, end to end: what long callbacks and long mailboxes cost others."""

import re
import signal
import time

from defects import DefectCase, given, main, wait_until

RELEASE = """\
name: toil
version: {version}
sequence: {sequence}
modules:
  - {{name: toil, version: {toil}}}
  - {{name: scale, version: {scale}}}
applications:
  - name: toil
    supervisor:
      strategy: one_for_all
      intensity: 100
      children:
        - {{id: hand, module: toil, behaviour: hand, name: hand}}
        - {{id: mailbox, module: toil, behaviour: mailbox, name: mailbox, shutdown: {shutdown}}}
        - {{id: ticker, module: toil, behaviour: ticker, name: ticker}}
        - {{id: team, module: toil, behaviour: team, name: team}}
        - {{id: scale, module: scale, behaviour: scale, name: scale}}
"""
NESTED = """\
name: toil
version: 1.0.0
sequence: 1
modules:
  - {name: toil, version: 1.0.0}
applications:
  - name: toil
    supervisor:
      children:
        - id: inner
          type: supervisor
          name: inner
          children:
            - {id: ticker, module: toil, behaviour: ticker}
"""
MIRED = """\
name: toil
version: 1.0.{number}
sequence: {number}
modules:
  - {{name: mire, version: {mire}}}
  - {{name: plain_c, version: {plain_c}}}
  - {{name: scale, version: {scale}}}
applications:
  - name: toil
    supervisor:
      strategy: one_for_one
      intensity: 100
      children:
        - {{id: mire, module: mire, behaviour: mire, name: mire}}
        - {{id: plain_c, module: plain_c, behaviour: plain_c, name: plain_c}}
        - {{id: scale, module: scale, behaviour: scale, name: scale}}
"""
GUARDED = """\
name: chat
version: {version}
sequence: {sequence}
modules:
  - {{name: chat, version: {version}}}
applications:
  - name: chat
    supervisor:
      children:
        - {{id: a, module: chat, behaviour: guard, name: a}}
        - {{id: b, module: chat, behaviour: guard, name: b}}
        - {{id: c, module: chat, behaviour: guard, name: c}}
"""
# Stop time-out of the host, and some for a machine with much to do.
STOP_SECONDS = 12


def release(version="1.0.0", sequence=1, scale="1.0.0", shutdown="5s", toil="1.0.0"):
    return RELEASE.format(version=version, sequence=sequence, scale=scale, shutdown=shutdown, toil=toil)


class ToilCase(DefectCase):
    def terminate(self):
        self.host.process.send_signal(signal.SIGTERM)


class LongMailboxes(ToilCase):
    def flood(self, count, ms):
        """Fills the mailbox with so many messages that take so long each."""
        self.host.must("cast", "mailbox", f"{{flood,{count},{ms}}}")

    def test_R9_a_stop_does_not_take_as_long_as_the_longest_mailbox(self):
        # Exit signals waited behind unread mail: a host was stopped when its slowest process had read all of it.
        with given("half an hour of mail"):
            self.host.deploy(release())
            self.flood(1_000_000, 2)
        self.terminate()
        self.assertEqual(self.assert_ends(STOP_SECONDS), 0)

    def test_R9_a_supervisors_kill_does_not_wait_behind_mail(self):
        # So did the kill of a supervisor, and with it the restart of all its children.
        with given("a child with half an hour of mail, and another that dies"):
            self.host.deploy(release(shutdown="brutal_kill"))
            self.flood(1_000_000, 2)
            self.host.must("kill", "hand")
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")

    def test_P2_a_kill_passes_a_million_unread_messages(self):
        # So did the kill of an operator.
        with given("a million messages"):
            self.host.deploy(release())
            self.flood(1_000_000, 2)
        self.host.must("kill", "mailbox")
        wait_until(lambda: self.run_baton("state", "mailbox").stdout.startswith("#{handled => 0"),
                   "there is another mailbox, that has handled nothing")


class EndlessCallbacks(ToilCase):
    def setUp(self):
        super().setUp()
        with given("a callback that does not return"):
            self.host.deploy(release())
            self.host.must("cast", "hand", "endless")

    def test_P2_an_endless_callback_stops_no_upgrade_of_another_module(self):
        # A take-over waited for every scheduler to pass a barrier, and one never did.
        self.assert_done("upgrade", self.packer.pack(release("1.1.0", 2, "1.1.0")), "--probation", "0s", within=20)
        self.assertEqual(self.versions_of("scale"), {"1.1.0"})

    def test_P2_an_upgrade_of_its_own_module_is_refused_and_names_it(self):
        # It ran out of its budget, and said only that somebody is inside a callback.
        done = self.run_baton("upgrade", self.packer.pack(release("1.1.0", 2, toil="1.1.0")), "--probation", "0s",
                              within=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"toil 1\.0\.0: <0\.\d+\.\d+> in hand:handle_cast\(endless\) for \d+ ms")
        self.assertEqual(self.versions_of("toil"), {"1.0.0"})
        self.assert_done("call", "ticker", "longest_gap")

    def test_P2_an_upgrade_leaves_it_behind_where_it_is_told_to(self):
        # There was no way up but to kill the process first.
        self.in_probation(release("1.1.0", 2, toil="1.1.0"), "--stuck", "leave")
        self.assertEqual(self.versions_of("toil"), {"1.0.0", "1.1.0"})
        self.assertRegex(self.host.must("modules"), r"toil +1\.0\.0 +old +1 .*in hand:handle_cast\(endless\)")
        self.assert_done("call", "ticker", "longest_gap")
        # What is permanent keeps no old code that can be done without.
        self.assert_done("release", "make-permanent", within=20)
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
        self.assertRegex(self.host.must("modules"), r"toil +1\.0\.0 +pinned .*in hand:handle_cast\(endless\)")

    def test_P2_an_upgrade_abandons_it_where_it_is_told_to(self):
        self.assert_done("upgrade", self.packer.pack(release("1.1.0", 2, toil="1.1.0")), "--stuck", "abandon",
                         "--probation", "0s", within=20)
        self.assertEqual(self.versions_of("toil"), {"1.1.0"})
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
        done = self.run_baton("upgrade", self.packer.pack(release("1.2.0", 3)), "--stuck", "maybe")
        self.assertIn("--stuck: maybe not in {refuse,leave,abandon}", done.stderr)

    def test_P2_killed_its_process_is_there_again(self):
        # A kill waited for the callback's end.
        self.assert_done("kill", "hand")
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
        self.assertIn("hand:handle_cast(endless)", self.host.must("modules"))
        # Both processes are listed, the dead one with its callback.
        hands = [each for each in self.host.cli("ps")["processes"] if each["behaviour"] == "hand"]
        self.assertEqual([(each["name"], each["abandoned"]) for each in hands], [("hand", False), (None, True)])
        self.assertRegex(hands[1]["stuck"], r"in hand:handle_cast\(endless\) for \d+ m?s")

    def test_P2_who_asks_it_hears_where_it_is(self):
        # A question timed out, and said no more.
        done = self.run_baton("call", "hand", "{work,1}", "--timeout-ms", "300")
        self.assertRegex(done.stderr, r"hand: .*it is <0\.\d+\.\d+> in hand:handle_cast\(endless\) for \d+ m?s; cure: ")

    def test_P2_a_rollback_does_not_wait_for_it(self):
        # The way back needed the very schedulers that the bad release had taken.
        with given("a release that hangs, in probation"):
            self.assert_done("kill", "hand")
            wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
            self.in_probation(release("1.1.0", 2, toil="1.1.0"))
            self.host.must("cast", "hand", "endless")
        self.assert_done("rollback", within=5)
        self.assertEqual(self.versions_of("toil"), {"1.0.0"})
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")

    def test_P2_a_rollback_does_not_fail_for_what_its_version_may_start_no_more(self):
        # Its supervisor could start the child anew on neither version, gave up, and the host ended after "done".
        with given("a release that has hung twice, in probation"):
            self.assert_done("kill", "hand")
            wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
            impatient = release("1.1.0", 2, toil="1.1.0").replace("intensity: 100", "intensity: 3")
            self.in_probation(impatient.replace("one_for_all", "one_for_one"))
            self.host.must("cast", "hand", "endless")
            self.host.must("kill", "hand")
            wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
            self.host.must("cast", "hand", "endless")
        done = self.assert_done("rollback", within=5)
        self.assertIn("1 ended with their states, as their callbacks did not return", done.stderr)
        self.assertEqual(self.versions_of("toil"), {"1.0.0"})
        wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")

    def test_P2_a_release_that_hangs_is_rolled_back(self):
        # Nobody saw it: such a process does not crash.
        with given("a release in probation, and its callback that does not return"):
            self.assert_done("kill", "hand")
            wait_until(lambda: self.run_baton("call", "hand", "{work,1}").returncode == 0, "hand is there again")
            self.in_probation(release("1.1.0", 2, toil="1.1.0") + "probation: {crash_rate: {max: 0, per: 10s}}\n")
        self.host.must("cast", "hand", "endless")
        wait_until(lambda: self.versions_of("toil") == {"1.0.0"}, "the host is back at 1.0.0")

    def test_P2_an_endless_callback_stops_no_stop(self):
        # A host with such a callback did not end on SIGTERM.
        self.terminate()
        self.assertEqual(self.assert_ends(STOP_SECONDS), 0)


class EndlessHooks(ToilCase):
    """Module code that is nobody's callback, and never returns."""

    configuration = "take_over: {budget: 1s}\n"

    def deploy(self, mire="1.0.0", plain_c="1.0.0"):
        self.mire, self.plain_c, self.scale, self.number = mire, plain_c, "1.0.0", 1
        self.host.deploy(self.description())

    def description(self):
        return MIRED.format(number=self.number, mire=self.mire, plain_c=self.plain_c, scale=self.scale)

    def upgrade(self, **modules):
        """Upgrades to other versions of modules; what the command line did. A failed one changes nothing here."""
        before = dict(vars(self))
        self.number += 1
        vars(self).update(modules)
        done = self.run_baton("upgrade", self.packer.pack(self.description()), "--probation", "0s", within=25)
        if done.returncode != 0:
            for name in modules:
                setattr(self, name, before[name])
        return done

    def assert_goes_on(self):
        """Other processes answer, other modules are upgraded, and the host stops in time."""
        self.assert_done("call", "scale", "add")
        self.scale = "1.0.0"
        done = self.upgrade(scale="1.1.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.terminate()
        self.assertEqual(self.assert_ends(STOP_SECONDS), 0)

    def test_P2_an_endless_code_change_fails_its_upgrade_and_nothing_else(self):
        # The take-over waited for it in the thread of the release handler: no operation ever again.
        with given("a process whose state is not to be taken over"):
            self.deploy()
            self.host.must("cast", "mire", "{sink,1}")
        done = self.upgrade(mire="1.1.0")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"inside a hook that reads the state of <0\.\d+\.\d+>")
        self.assertEqual(self.versions_of("mire"), {"1.0.0"})
        # It is the new version's code that does not return, and not the one's that serves.
        self.assertRegex(self.host.must("modules"), r"mire +1\.1\.0 +pinned .*in mire:code_change for \d+ m?s")
        self.assertNotEqual(self.run_baton("call", "mire", "ask", "--timeout-ms", "300").returncode, 0)
        self.assert_done("kill", "mire")
        wait_until(lambda: self.run_baton("call", "mire", "ask", "--timeout-ms", "300").returncode == 0,
                   "there is another mire")
        self.assert_goes_on()

    def test_P2_an_endless_destructor_costs_its_library_and_nothing_else(self):
        with given("a process whose state is not to be destroyed"):
            self.deploy()
            self.host.must("cast", "mire", "{sink,2}")
        done = self.upgrade(mire="1.1.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_done("call", "mire", "ask")
        self.assertRegex(self.host.must("modules"), r"mire +1\.0\.0 +pinned.*in destructor")
        self.assert_goes_on()

    def test_P2_an_endless_init_of_a_module_fails_its_upgrade_and_nothing_else(self):
        with given("a release"):
            self.deploy()
        done = self.upgrade(plain_c="1.1.0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("its init has not returned", done.stderr)
        self.assertEqual(self.versions_of("plain_c"), {"1.0.0"})
        self.assert_goes_on()

    def test_P2_an_endless_fini_of_a_module_costs_its_library_and_nothing_else(self):
        with given("a release whose module does not leave"):
            self.deploy(plain_c="1.2.0")
        done = self.upgrade(plain_c="1.0.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.versions_of("plain_c"), {"1.0.0"})
        self.assert_goes_on()


class OneScheduler(ToilCase):
    configuration = "schedulers: 1\n"

    def test_P2_an_endless_callback_stops_no_timer_of_its_scheduler(self):
        # Timers, sockets and mail of its scheduler waited for it for ever.
        with given("a ticking timer"):
            self.host.deploy(release())
            self.host.must("call", "ticker", "longest_gap")
            self.host.must("cast", "hand", "endless")
        time.sleep(1)  # for the timer to be late, or not
        done = self.assert_done("call", "ticker", "longest_gap", "--timeout-ms", "5000")
        self.assertLess(int(done.stdout), 600)


class Supervisors(DefectCase):
    def test_R8_a_supervisor_that_is_stopped_ends(self):
        # `baton stop` sent it an exit signal that a supervisor takes from its parent only, and said ok.
        with given("a supervisor below another"):
            self.host.deploy(NESTED)
            before = self.pid_of("inner")
        self.assert_done("stop", "inner")
        wait_until(lambda: self.pid_of("inner") != before, "inner has ended")

    def pid_of(self, name):
        """Empty while there is none."""
        found = re.search(r"\bpid => (<[\d.]+>)", self.host.baton("info", name).stdout)
        return found[1] if found else ""


class Purges(DefectCase):
    def test_D15_what_a_purge_ends_does_not_count_as_crashes(self):
        # Coroutine processes are not taken over. Their supervisor gave up when all were ended at once, and so did the host.
        with given("a release of coroutine processes only"):
            self.host.deploy(GUARDED.format(version="1.0.0", sequence=1))
        self.assert_done("upgrade", self.packer.pack(GUARDED.format(version="1.1.0", sequence=2)), "--probation", "0s",
                         within=20)
        for name in "abc":
            wait_until(lambda: self.run_baton("call", name, "lines").returncode == 0, f"{name} is there again")
        self.assertEqual(self.versions_of("chat"), {"1.1.0"})
        self.assertEqual(self.host.cli("status")["crashes"], 0)


class FourSchedulers(ToilCase):
    configuration = "schedulers: 4\n"

    def test_P2_four_workers_spawned_by_one_process_run_on_all_schedulers(self):
        # What a process spawned waited on its own scheduler while the others were idle.
        with given("a team"):
            self.host.deploy(release())
        begin = time.monotonic()
        self.assert_done("call", "team", "{share,4,500}")
        self.assertLess(time.monotonic() - begin, 1.4)


if __name__ == "__main__":
    main()
