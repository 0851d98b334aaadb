"""The life of a release on a real host: deployed, looked into, upgraded, rolled back, restarted, killed."""

import json
import math
import os
import re
import sys

from host import CLASSICS, HostCase, demo, main, resp, wait_until

sys.set_int_max_str_digits(0)


class Looking(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))

    def test_status_names_the_release_and_its_listeners(self):
        status = self.host.cli("status")
        self.assertEqual((status["release"]["name"], status["release"]["version"], status["release"]["status"]),
                         ("demo", "1.0.0", "permanent"))
        self.assertEqual({each["name"]: each["protocol"] for each in status["listeners"]},
                         {"kv": "tcp", "web": "http"})
        self.assertEqual(status["pid"], self.host.process.pid)
        self.assertIn("demo 1.0.0 (permanent)", self.host.must("status"))

    def test_tree_shows_applications_supervisors_and_workers(self):
        tree = {each["id"]: each for each in self.host.cli("tree")}
        self.assertEqual(sorted(tree), ["kv", "web"])

        def workers(node):
            if node["type"] == "worker":
                return [node["id"]]
            return [worker for child in node["children"] for worker in workers(child)]

        self.assertEqual(workers(tree["web"]), ["desk", "front"])
        self.assertRegex(self.host.must("tree"), r"desk +<")

    def test_ps_lists_processes_and_can_be_narrowed_to_a_module(self):
        behaviours = [each["behaviour"] for each in self.host.cli("ps", "--module", "web")["processes"]]
        self.assertEqual(sorted(behaviours), ["desk", "front"])
        everything = self.host.cli("ps")
        self.assertGreater(everything["total"], 3)
        limited = self.host.baton("ps", "--limit", "1")
        self.assertEqual(len(limited.stdout.splitlines()), 2)
        self.assertIn("--limit", limited.stderr)

    def test_modules_shows_version_status_and_who_runs_it(self):
        modules = {each["module"]: each for each in self.host.cli("modules")}
        self.assertEqual(modules["kv"]["version"], "1.0.0")
        self.assertEqual(modules["kv"]["status"], "current")
        self.assertEqual(modules["web"]["processes"], 2)

    def pid_of(self, behaviour):
        """Of a process of web; empty while there is none."""
        return "".join(each["pid"] for each in self.host.cli("ps", "--module", "web")["processes"]
                       if each["behaviour"] == behaviour)

    def test_info_tells_what_a_process_is(self):
        self.assertIn("1.0.0", self.host.must("info", "desk"))
        self.assertEqual(self.host.cli("info", self.pid_of("desk"))["value"], self.host.cli("info", "desk")["value"])

    def test_state_shows_the_fields_of_a_process(self):
        self.host.http("POST", "/orders", {"item": "tea", "quantity": 2, "price": 300})
        self.assertIn("tea", self.host.must("state", "desk"))

    def test_call_and_cast_take_and_give_terms(self):
        self.assertIn("0", self.host.must("call", "desk", "totals"))
        self.assertEqual(self.host.must("cast", "desk", "{no,such,cast}"), "ok")
        self.assertEqual(self.host.http("GET", "/health")[0], 200)

    def test_a_suspended_process_handles_nothing_until_it_is_resumed(self):
        self.host.must("suspend", "desk")
        refused = self.host.baton("call", "desk", "totals", "--timeout-ms", "200")
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex(refused.stderr, r"(?i)time|answer|within")
        self.host.must("resume", "desk")
        self.assertEqual(self.host.baton("call", "desk", "totals").returncode, 0)

    def test_a_killed_process_is_restarted_by_its_supervisor(self):
        before = self.host.cli("info", "desk")["value"]
        self.host.must("kill", "desk")
        wait_until(lambda: self.host.baton("call", "desk", "totals").returncode == 0, "desk is there again")
        self.assertNotEqual(self.host.cli("info", "desk")["value"], before)

    def test_a_dead_process_is_not_there_for_any_verb(self):
        dead = self.pid_of("desk")
        self.host.must("kill", dead)
        wait_until(lambda: self.pid_of("desk") not in ("", dead),
                   "desk is there again")
        for words in (("kill", dead), ("stop", dead), ("state", dead), ("info", dead), ("call", dead, "totals"),
                      ("cast", dead, "hello")):
            with self.subTest(words):
                self.assert_refused(4, rf"no such process {dead}; baton ps lists those alive$", *words)

    def test_log_level_is_shown_and_set(self):
        self.assertEqual(self.host.must("log-level"), "info")
        self.assertEqual(self.host.must("log-level", "debug"), "debug")
        self.assertEqual(self.host.must("log-level"), "debug")
        self.assert_refused(2, r"debug.*loud", "log-level", "loud")

    def test_version_needs_no_host(self):
        self.host.stop()
        self.assertRegex(self.host.must("version"), r"^baton \d+\.\d+\.\d+")

    def test_json_is_one_envelope_for_success_and_error(self):
        done = self.host.baton("-o", "json", "log-level")
        self.assertEqual(json.loads(done.stdout), {"api": "baton/1", "ok": True, "data": {"level": "info"}})
        done = self.host.baton("-o", "json", "state", "nobody")
        envelope = json.loads(done.stdout)
        self.assertEqual((done.returncode, envelope["api"], envelope["ok"], envelope["error"]["code"]),
                         (4, "baton/1", False, "not_found"))


class TheClassics(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(CLASSICS)

    def test_a_call_of_factorial_prints_every_digit(self):
        digits = self.host.must("call", "factorial", "1000")
        self.assertEqual(len(digits), 2568)
        self.assertEqual(int(digits), math.factorial(1000))

    def test_ping_pong_is_played_to_the_end(self):
        self.assertEqual(self.host.must("call", "pingpong", "{play,1000}"), "1000")

    def test_a_request_out_of_range_is_answered_not_crashed_on(self):
        self.assertIn("error", self.host.must("call", "factorial", "-1"))
        self.assertEqual(self.host.cli("status")["crashes"], 0)


class Changing(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))

    def upgrade(self, probation="60s"):
        """To 1.1.0, still in probation."""
        self.host.must("upgrade", self.packer.pack(demo("1.1.0")), "--probation", probation, "--detach")
        wait_until(lambda: self.host.cli("status")["release"]["version"] == "1.1.0"
                   and self.host.cli("status")["probation"], "1.1.0 is in probation")

    def test_connections_and_half_a_command_live_through_an_upgrade_and_back(self):
        # given: a connection of its own with data, and one with half a command sent
        with self.host.connect("kv") as redis, self.host.connect("kv") as half:
            self.assertEqual(redis.command("SET", "name", "value"), "+OK")
            pipelined = resp("SET", "a", "1") + resp("GET", "a") + resp("SET", "half", "across")
            half.send(pipelined[:-9])
            self.assertEqual([half.reply(), half.reply()], ["+OK", "1"])
            # when
            self.upgrade()
            # then
            half.send(pipelined[-9:] + resp("GET", "half"))
            self.assertEqual([half.reply(), half.reply()], ["+OK", "across"])
            self.assertEqual(redis.command("GET", "name"), "value")
            self.assertEqual(redis.command("INCR", "counter"), ":1")
            # and back
            half.send(resp("GET", "half")[:7])
            self.host.must("rollback")
            half.send(resp("GET", "half")[7:])
            self.assertEqual(half.reply(), "across")
            self.assertEqual(redis.command("GET", "counter"), "1")
            self.assertRegex(redis.command("INCR", "counter"), "^-ERR unknown command")

    def test_orders_live_through_an_upgrade_and_back(self):
        status, order = self.host.http("POST", "/orders", {"item": "tea", "quantity": 2, "price": 300})
        self.assertEqual(status, 201)
        self.upgrade()
        self.assertEqual(self.host.http("GET", f"/orders/{order['id']}")[1]["item"], "tea")
        self.host.must("rollback")
        self.assertEqual(self.host.http("GET", f"/orders/{order['id']}"), (200, order))

    def test_statuses_follow_a_release_through_its_life(self):
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent"})
        self.host.must("release", "unpack", self.packer.pack(demo("1.1.0")))
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.1.0": "unpacked"})
        self.host.must("release", "install", "demo", "1.1.0", "--probation", "60s", "--detach")
        wait_until(lambda: self.host.statuses()["1.1.0"] == "current", "1.1.0 is current")
        self.host.must("release", "make-permanent")
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.1.0": "permanent"})
        self.host.must("rollback")
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.1.0": "old"})
        self.host.must("release", "remove", "demo", "1.1.0")
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent"})

    def test_old_code_stays_warm_until_make_permanent_and_is_then_unmapped(self):
        self.upgrade()
        self.assertEqual({each["version"] for each in self.host.cli("modules") if each["module"] == "kv"},
                         {"1.0.0", "1.1.0"})
        self.host.must("release", "make-permanent")
        self.assertEqual({each["version"] for each in self.host.cli("modules") if each["module"] == "kv"},
                         {"1.1.0"})
        with open(f"/proc/{self.host.process.pid}/maps") as maps:
            mapped = {os.path.realpath(line.split()[-1]) for line in maps if "kv.so" in line}
        self.assertLessEqual(len(mapped), 1, mapped)

    def test_a_passed_probation_makes_the_release_permanent(self):
        done = self.host.baton("upgrade", self.packer.pack(demo("1.1.0")), "--probation", "300ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"probation +passed")
        self.assertEqual(self.host.statuses(), {"1.0.0": "old", "1.1.0": "permanent"})

    def test_an_upgrade_to_what_runs_already_is_done_at_once(self):
        done = self.host.baton("upgrade", self.packer.pack(demo("1.0.0")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("already", done.stderr)
        self.assertIsNone(self.host.cli("status")["probation"])

    def test_plan_says_what_would_change_and_changes_nothing(self):
        plan = self.host.baton("-o", "json", "plan", self.packer.pack(demo("1.1.0")), "--detailed-exitcode")
        self.assertEqual(plan.returncode, 20, plan.stderr)
        steps = {each["module"]: (each["from"], each["to"]) for each in json.loads(plan.stdout)["data"]["modules"]}
        self.assertEqual(steps, {"kv": ("1.0.0", "1.1.0"), "web": ("1.0.0", "1.1.0")})
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent"})
        same = self.host.baton("plan", self.packer.pack(demo("1.0.0")), "--detailed-exitcode")
        self.assertEqual(same.returncode, 0, same.stderr)

    def test_a_restart_boots_the_permanent_release(self):
        self.upgrade()
        self.host.must("release", "make-permanent")
        self.host.stop()
        self.host.start()
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.1.0")
        self.assertEqual(self.host.redis("INCR", "counter"), ":1")

    def test_a_stop_during_probation_boots_the_release_before(self):
        self.upgrade()
        self.host.stop()
        self.host.start()
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.0.0")
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.1.0": "unpacked"})

    def test_a_kill_during_probation_boots_the_release_before_and_marks_the_other(self):
        self.upgrade()
        self.host.kill()
        self.host.start()
        self.assertEqual(self.host.cli("status")["release"]["version"], "1.0.0")
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent", "1.1.0": "failed_in_probation"})
        self.assertEqual(self.host.redis("PING"), "+PONG")
        # and it may be tried again
        self.upgrade()

    def test_a_detached_operation_can_be_followed_by_its_id(self):
        said = self.host.must("upgrade", self.packer.pack(demo("1.1.0")), "--probation", "300ms", "--detach")
        operation = re.search(r"baton operation (\d+)", said)[1]
        self.assertEqual(self.host.baton("operation", operation).returncode, 0)
        self.assertEqual(self.host.statuses()["1.1.0"], "permanent")


if __name__ == "__main__":
    main()
