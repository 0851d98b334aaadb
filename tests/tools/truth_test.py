"""What tools/chaos concludes from a journal and from figures."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import truth


def journal(*records):
    """Lines as of a journal; checksums are not looked at."""
    return "".join(f"0000000c fa2d2c68acf0ca0f n={number} {record}\n" for number, record in enumerate(records, 1))


def did(action, version):
    return f"time=T action={action} name=demo version={version} who=uid:0 why=step%20=%20x"


class StatusesTest(unittest.TestCase):
    def test_what_is_installed_is_current_and_then_permanent(self):
        records = ["format=2", did("unpack", "1.0.0"), "from= to=demo-1.0.0 step=take_over", did("install", "1.0.0")]
        self.assertEqual(truth.statuses_of(journal(*records)), {"1.0.0": "current"})
        records.append(did("make_permanent", "1.0.0"))
        self.assertEqual(truth.statuses_of(journal(*records)), {"1.0.0": "permanent"})

    def test_another_that_becomes_permanent_makes_the_one_before_old(self):
        statuses = truth.statuses_of(journal(
            did("unpack", "1.0.0"), did("install", "1.0.0"), did("make_permanent", "1.0.0"),
            did("unpack", "1.1.0"), did("install", "1.1.0"), did("make_permanent", "1.1.0")))
        self.assertEqual(statuses, {"1.0.0": "old", "1.1.0": "permanent"})
        self.assertEqual(truth.running_of(statuses), "1.1.0")

    def test_one_that_failed_or_was_removed_does_not_run(self):
        statuses = truth.statuses_of(journal(
            "snapshot=release name=demo version=1.0.0 status=permanent", "snapshot=host action=make_permanent",
            did("unpack", "1.1.0"), did("install", "1.1.0"), did("fail_probation", "1.1.0"),
            did("unpack", "1.2.0"), did("remove", "1.2.0")))
        self.assertEqual(statuses, {"1.0.0": "permanent", "1.1.0": "failed_in_probation"})
        self.assertEqual(truth.running_of(statuses), "1.0.0")


class EndlessTest(unittest.TestCase):
    def test_of_what_is_stuck_only_the_endless_callbacks_are_named(self):
        shown = [{"module": "kv", "version": "1.0.0", "stuck": []},
                 {"module": "mayhem", "version": "1.1.0",
                  "stuck": ["<0.7.2> in mayhem:handle_cast(endless) for 93 s", "in mayhem:code_change for 40 ms"]}]
        self.assertEqual(truth.endless_in(shown), {"<0.7.2>": ("mayhem", "1.1.0")})


class FiguresTest(unittest.TestCase):
    def test_growth_is_that_from_each_figure_to_the_next(self):
        self.assertEqual(truth.growth([10, 20, 30, 40]), 10)
        self.assertEqual(truth.growth([5, 7, 7, 5]), 0)

    def test_each_count_that_differs_is_named(self):
        self.assertEqual(truth.unequal("libraries", {"kv": 1, "web": 1}, {"kv": 1, "tea": 2}),
                         ["libraries: 2 of tea, expected 0", "libraries: 0 of web, expected 1"])


if __name__ == "__main__":
    unittest.main()
