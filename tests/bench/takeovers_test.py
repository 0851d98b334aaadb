"""The take-over benchmark in small: the release is installed both ways, with everything that is measured checked."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools")]
from running import Running
from takeovers import PROBATION_MS, OurTakeover


class TakeoverTest(unittest.TestCase):
    def test_totals_and_longest_calls_are_told_for_both_ways(self):
        with Running("takeovers-test") as running:
            side = OurTakeover(1000, 500, 3, expected=1)
            side.start(running)
            figures = side.run()
        self.assertEqual([(f["name"], f["direction"]) for f in figures],
                         [(name, way) for way in ("upgrade", "downgrade")
                          for name in ("takeover_total", "takeover_longest_call")])
        for figure in figures:
            self.assertEqual((figure["unit"], figure["processes"], figure["idle"], figure["modules"], figure["mode"]),
                             ("ms", 1000, 500, 3, "atomic"))
            self.assertGreater(figure["value"], 0)
        for total in figures[::2]:
            self.assertGreaterEqual(total["beside"]["probation_ms"], PROBATION_MS)
            self.assertLess(total["beside"]["pause_ms"], total["value"])
            self.assertIsNone(total["beside"]["rehearsal_ms"])


if __name__ == "__main__":
    unittest.main()
