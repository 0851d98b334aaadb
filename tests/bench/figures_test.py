"""The pure half of tools/bench: reading reports, medians, ratios and which way is better."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import figures

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
        for unit in ("ns", "us", "ms", "bytes"):
            self.assertEqual(figures.ratio(unit, 50, 100), 2)

    def test_a_rate_half_the_peers_is_half_as_good(self):
        self.assertEqual(figures.ratio("per_s", 50, 100), 0.5)

    def test_a_unit_of_unknown_direction_is_refused(self):
        with self.assertRaisesRegex(figures.Unreadable, "'parsecs'"):
            figures.ratio("parsecs", 1, 2)

    def test_there_is_none_against_nothing(self):
        self.assertIsNone(figures.ratio("ms", 0, 1))
        self.assertIsNone(figures.ratio("per_s", 1, 0))


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
    def test_columns_line_up_and_what_is_missing_is_a_dash(self):
        rows = figures.rows("s", [[figure("long_name", 1234.5, mode="atomic"), figure("b", 0.5)]],
                            {"otp": [[figure("b", 1)]]})
        lines = figures.table(rows).splitlines()
        self.assertEqual(len({line.index("ns") if "ns" in line else line.index("unit") for line in lines}), 1)
        self.assertIn("1,234", lines[1])
        self.assertIn("mode=atomic", lines[1])
        self.assertRegex(lines[1], r" -\s+-\s+- ")


if __name__ == "__main__":
    unittest.main()
