"""What tools/demo concludes from what its clients saw."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import verdict

BAD = "bad"


def figures(**changes):
    return {"requests": 100, "failed": 0, "dropped": 0, "lost": 0, "longest_pause_ms": 1.0,
            "first_failure_unix_ms": 0, "last_failure_unix_ms": 0, **changes}


def seen(kv=None, web=None):
    return {"kv": figures(**(kv or {})), "web": figures(**(web or {}))}


BAD_WEB = {"failed": 40, "first_failure_unix_ms": 5000, "last_failure_unix_ms": 5600}


def conclude(good=None, bad=None, back_unix_ms=6000, rolled_back=True, wrk_failed=0, wrk_broken=0):
    seen_bad = seen(**(bad or {"web": BAD_WEB}))
    rows = [verdict.step_row("up", 3, seen(**(good or {}))), verdict.step_row(BAD, 900, seen_bad)]
    return verdict.verdict(rows, BAD, seen_bad, back_unix_ms, rolled_back, wrk_failed, wrk_broken)


class VerdictTest(unittest.TestCase):
    def assert_wrong(self, text, **changes):
        result, wrong = conclude(**changes)
        self.assertEqual(len(wrong), 1, wrong)
        self.assertIn(text, wrong[0])
        return result

    def test_errors_of_the_bad_release_only_are_as_it_should_be(self):
        result, wrong = conclude()
        self.assertEqual(wrong, [])
        self.assertEqual({k: v for k, v in result.items() if k != "steps"},
                         {"failed_requests": 0, "dropped_connections": 0, "lost_keys": 0, "rolled_back": True,
                          "bad_release_errors": 40, "bad_release_ms": 1000})
        self.assertEqual([row["step"] for row in result["steps"]], ["up", BAD])

    def test_a_failed_request_in_a_good_step_is_wrong(self):
        self.assertEqual(self.assert_wrong("2 failed requests", good={"web": {"failed": 2}})["failed_requests"], 2)

    def test_kv_may_not_fail_even_while_web_is_bad(self):
        self.assert_wrong("1 failed requests", bad={"kv": {"failed": 1}, "web": BAD_WEB})

    def test_a_dropped_connection_is_wrong_at_any_time(self):
        self.assert_wrong("3 dropped connections", bad={"web": {**BAD_WEB, "dropped": 3}})

    def test_a_lost_key_is_wrong_at_any_time(self):
        self.assert_wrong("1 lost keys", good={"kv": {"lost": 1}})

    def test_what_wrk_saw_counts_too(self):
        self.assert_wrong("5 failed requests", wrk_failed=5)
        self.assert_wrong("6 dropped connections", wrk_broken=6)

    def test_a_bad_release_without_errors_proves_nothing(self):
        result = self.assert_wrong("proves nothing", bad={"web": {}})
        self.assertIsNone(result["bad_release_ms"])

    def test_a_bad_release_that_stays_is_wrong(self):
        self.assert_wrong("not rolled back", rolled_back=False)

    def test_two_seconds_of_errors_are_too_many(self):
        self.assert_wrong("errors for 2000 ms", back_unix_ms=7000)

    def test_an_error_after_the_way_back_is_wrong(self):
        self.assert_wrong("an error 100 ms after", back_unix_ms=5500)


class WrkFailuresTest(unittest.TestCase):
    def test_counts_bad_statuses_and_broken_connections(self):
        report = ("  Socket errors: connect 1, read 2, write 3, timeout 4\n"
                  "  Non-2xx or 3xx responses: 17\nRequests/sec: 1.0\n")
        self.assertEqual(verdict.wrk_failures(report), (17, 10))
        self.assertEqual(verdict.wrk_failures("Requests/sec: 1.0\n"), (0, 0))

    def test_no_report_is_a_failure(self):
        self.assertEqual(verdict.wrk_failures("unable to connect\n"), (1, 0))


class TableTest(unittest.TestCase):
    def test_a_row_shows_the_longer_pause_and_the_sums_of_both_services(self):
        row = verdict.step_row("up", 3.14159, seen(kv={"longest_pause_ms": 4.5, "requests": 1000}))
        lines = verdict.table([row]).splitlines()
        self.assertRegex(lines[0], r"^step +ms +longest pause, ms +requests +failed +dropped +lost keys$")
        self.assertRegex(lines[1], r"^up +3\.1 +4\.5 +1,100 +0 +0 +0$")


if __name__ == "__main__":
    unittest.main()
