"""The pure half of tools/bench: reading reports, medians, ratios, which way is better, and the time left."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import figures
import progress

WRK = """Running 5s test @ http://127.0.0.1:18081/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.21ms    0.98ms  20.11ms   90.11%
    Req/Sec    58.65k     4.28k   63.18k    88.00%
  Latency Distribution
     50%  987.00us
     75%    1.20ms
     90%    2.00ms
     99%    5.25ms
  291881 requests in 5.00s, 42.31MB read
Requests/sec:  58353.70
Transfer/sec:      8.46MB
"""
REDIS = '''"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","93457.95","0.299","0.104","0.287","0.399","0.607","2.007"
"GET","95238.10","0.284","0.096","0.279","0.375","0.511","1.263"
'''


def figure(name, value, unit="ns", **facts):
    return {"name": name, "value": value, "unit": unit, **facts}


class RatioTest(unittest.TestCase):
    def test_a_time_or_size_half_the_peers_is_twice_as_good(self):
        for unit in ("ns", "us", "ms", "bytes", "percent_of_core"):
            self.assertEqual(figures.ratio(unit, 50, 100), 2)

    def test_a_rate_half_the_peers_is_half_as_good(self):
        self.assertEqual(figures.ratio("per_s", 50, 100), 0.5)

    def test_a_unit_of_unknown_direction_is_refused(self):
        with self.assertRaisesRegex(figures.Unreadable, "'parsecs'"):
            figures.ratio("parsecs", 1, 2)

    def test_there_is_none_against_nothing(self):
        for ours, theirs in ((0, 1), (1, 0), (0, 0)):
            self.assertIsNone(figures.ratio("ms", ours, theirs))
            self.assertIsNone(figures.ratio("per_s", ours, theirs))


class RowsTest(unittest.TestCase):
    def test_medians_are_compared_and_every_sample_kept(self):
        ours = [[figure("a", v)] for v in (10, 1000, 20)]
        theirs = [[figure("a", v)] for v in (40, 60)]
        [row] = figures.rows("s", ours, {"otp": theirs})
        self.assertEqual(row, {"suite": "s", "name": "a", "unit": "ns", "baton": 20, "peer": "otp",
                               "peer_value": 50, "ratio": 2.5,
                               "samples": {"baton": [10, 1000, 20], "otp": [40, 60]}})

    def test_each_peer_that_has_the_figure_gets_a_row(self):
        rows = figures.rows("s", [[figure("a", 1), figure("b", 1)]],
                            {"otp": [[figure("a", 2), figure("b", 3)]], "caf": [[figure("a", 4)]]})
        self.assertEqual([(r["name"], r["peer"], r["ratio"]) for r in rows],
                         [("a", "otp", 2), ("a", "caf", 4), ("b", "otp", 3)])

    def test_figures_that_differ_in_a_fact_are_not_mixed(self):
        ours = [[figure("t", 1, "ms", direction="upgrade"), figure("t", 2, "ms", direction="downgrade")]]
        theirs = [[figure("t", 10, "ms", direction="downgrade"), figure("t", 30, "ms", direction="upgrade")]]
        rows = figures.rows("s", ours, {"otp": theirs})
        self.assertEqual([(r["direction"], r["ratio"]) for r in rows], [("upgrade", 30), ("downgrade", 5)])

    def test_a_figure_without_a_peer_is_reported_alone(self):
        [row] = figures.rows("s", [[figure("mine", 3)]], {"otp": [[figure("other", 1)]]})
        self.assertEqual((row["baton"], row["peer"], row["ratio"]), (3, None, None))


    def test_medians_of_what_was_measured_beside_are_part_of_the_row(self):
        ours = [[figure("t", 1, "ms", beside={"probation_ms": v, "rehearsal_ms": None})] for v in (500.0, 520.0, 501.0)]
        [row] = figures.rows("s", ours, {"otp": [[figure("t", 4, "ms")]]})
        self.assertEqual((row["probation_ms"], row["rehearsal_ms"], row["ratio"]), (501.0, None, 4))
        self.assertRegex(figures.table([row]), r"probation_ms=501 rehearsal_ms=-$")


class UnpairedTest(unittest.TestCase):
    def test_what_only_a_peer_has_measured_is_named_with_its_facts(self):
        ours = [[figure("a", 1), figure("t", 1, "ms", modules=1)]]
        theirs = [[figure("a", 2), figure("t", 2, "ms", modules=10)]]
        self.assertEqual(figures.unpaired(ours, {"otp": theirs}), [("otp", "t modules=10")])

    def test_an_other_unit_is_an_other_figure(self):
        self.assertEqual(figures.unpaired([[figure("a", 1, "us")]], {"otp": [[figure("a", 1, "ms")]]}),
                         [("otp", "a")])

    def test_what_only_baton_has_measured_is_no_defect(self):
        self.assertEqual(figures.unpaired([[figure("a", 1), figure("b", 1)]], {"otp": [[figure("a", 2)]]}), [])


class ParsingTest(unittest.TestCase):
    def test_json_lines_are_figures_with_their_facts(self):
        text = '{"name":"takeover_total","value":5,"unit":"ms","direction":"upgrade","idle":0}\n\n'
        self.assertEqual(figures.parse_json_lines(text),
                         [figure("takeover_total", 5.0, "ms", direction="upgrade", idle=0)])

    def test_a_line_that_is_no_figure_is_named(self):
        for line in ("oops", '{"name":"x","unit":"ns"}', '{"name":"x","value":null,"unit":"ns"}', "[1]"):
            with self.assertRaisesRegex(figures.Unreadable, "line 2"):
                figures.parse_json_lines('{"name":"x","value":1,"unit":"ns"}\n' + line)

    def test_wrk_gives_a_rate_and_two_percentiles_in_microseconds(self):
        self.assertEqual(figures.parse_wrk(WRK), [
            figure("http_request_rate", 58353.70, "per_s"),
            figure("http_latency_p50", 987.0, "us"), figure("http_latency_p99", 5250.0, "us")])

    def test_wrk_with_errors_is_no_measurement(self):
        for line in ("  Non-2xx or 3xx responses: 12\n",
                     "  Socket errors: connect 0, read 3, write 0, timeout 0\n"):
            with self.assertRaisesRegex(figures.Unreadable, "wrk saw errors"):
                figures.parse_wrk(WRK.replace("Requests/sec", line + "Requests/sec"))

    def test_wrk_that_said_nothing_is_unreadable(self):
        with self.assertRaisesRegex(figures.Unreadable, "Requests/sec"):
            figures.parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")

    def test_redis_benchmark_gives_a_rate_and_a_percentile_for_each_command(self):
        self.assertEqual(figures.parse_redis_benchmark(REDIS, 16), [
            figure("kv_set_rate", 93457.95, "per_s", pipeline=16), figure("kv_set_p99", 0.607, "ms", pipeline=16),
            figure("kv_get_rate", 95238.10, "per_s", pipeline=16), figure("kv_get_p99", 0.511, "ms", pipeline=16)])

    def test_redis_benchmark_that_failed_is_unreadable(self):
        with self.assertRaises(figures.Unreadable):
            figures.parse_redis_benchmark("Could not connect to Redis at 127.0.0.1:1: Connection refused\n", 1)


class TableTest(unittest.TestCase):
    def test_columns_line_up_below_their_suite_and_what_is_missing_is_a_dash(self):
        rows = figures.rows("s", [[figure("long_name", 1234.5, mode="atomic"), figure("b", 0.5)]],
                            {"otp": [[figure("b", 1)]]}) + figures.rows("t", [[figure("c", 1)]], {})
        header, first, long_name, b, second, c = figures.table(rows).splitlines()
        self.assertEqual((first, second), ("S", "T"))
        self.assertEqual({line.index(" ns ") for line in (long_name, b, c)}, {header.index(" unit")})
        self.assertIn("1,234", long_name)
        self.assertRegex(long_name, r" -\s+-\s+-\s+mode=atomic$")
        self.assertRegex(b, r"0\.5\s+otp\s+1\s+2$")


class ProgressTest(unittest.TestCase):
    def test_time_left_is_what_was_expected_until_it_has_been_measured(self):
        going = progress.Progress(["ours", "peer", "ours", "peer", "ours"], {"ours": 10, "peer": 100})
        self.assertEqual(going.seconds_left(), 230)
        going.took("ours", 2)
        self.assertEqual((going.number(), going.seconds_left()), (2, 204))
        going.took("peer", 50)
        going.took("ours", 4)
        self.assertEqual((going.number(), going.seconds_left()), (4, 53))

    def test_what_is_given_up_takes_no_time_and_is_not_counted(self):
        going = progress.Progress(["ours", "peer", "ours", "peer"], {"ours": 10, "peer": 100})
        going.took("ours", 10)
        going.give_up("peer")
        self.assertEqual((going.number(), going.total, going.seconds_left()), (2, 2, 10))

    def test_durations_are_read_easily(self):
        self.assertEqual([progress.duration(s) for s in (0.4, 119, 120, 900)], ["0 s", "119 s", "2 min", "15 min"])


if __name__ == "__main__":
    unittest.main()
