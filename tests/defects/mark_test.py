"""What the two marks of a defect that is not mended yet take for it, and what they do not."""

import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stderr

from defects import given, not_mended

EXPECTED_FAILURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected_failure.py")


class Died:
    """A host whose process has this status."""

    def __init__(self, status):
        self.process = self
        self.status = status

    def wait(self, timeout):
        if self.status is None:
            raise subprocess.TimeoutExpired("batond", timeout)
        return self.status


def outcome_of(body, host=None):
    class Case(unittest.TestCase):
        @not_mended
        def test_it(self):
            self.host = host
            body(self)

    result = unittest.TestResult()
    with redirect_stderr(io.StringIO()):
        Case("test_it").run(result)
    kinds = ("errors", "failures", "skipped", "expectedFailures", "unexpectedSuccesses")
    return [kind for kind in kinds if getattr(result, kind)] or ["ok"]


def raising(error):
    def body(_):
        raise error
    return body


class ThePythonMark(unittest.TestCase):
    def test_an_assertion_that_fails_is_the_expected_failure(self):
        self.assertEqual(outcome_of(lambda case: case.assertEqual(1, 2)), ["expectedFailures"])

    def test_a_test_that_passes_fails_the_run(self):
        self.assertEqual(outcome_of(lambda case: None), ["unexpectedSuccesses"])

    def test_any_other_exception_is_an_error(self):
        for error in (OSError("no file"), ImportError("no module"), NameError("no name"), RuntimeError("no")):
            self.assertEqual(outcome_of(raising(error)), ["errors"])

    def test_whatever_fails_while_what_is_given_is_made_is_an_error(self):
        def body(case):
            with given("something"):
                case.fail("it was not made")
        self.assertEqual(outcome_of(body), ["errors"])
        self.assertEqual(outcome_of(body, Died(-signal.SIGSEGV)), ["errors"])

    def test_what_fails_because_the_host_died_is_the_expected_failure(self):
        self.assertEqual(outcome_of(raising(OSError()), Died(-signal.SIGABRT)), ["expectedFailures"])
        for status in (None, 0, 1, -signal.SIGTERM, -signal.SIGKILL):
            self.assertEqual(outcome_of(raising(OSError()), Died(status)), ["errors"])

    def test_what_cannot_run_here_is_skipped(self):
        self.assertEqual(outcome_of(lambda case: case.skipTest("not here")), ["skipped"])


class TheRunnerOfGoogleTests(unittest.TestCase):
    def status_of(self, script):
        """Of the runner, where the test binary is this shell script."""
        with tempfile.TemporaryDirectory() as directory:
            binary = os.path.join(directory, "binary")
            with open(binary, "w") as file:
                file.write("#!/bin/sh\n" + script)
            os.chmod(binary, os.stat(binary).st_mode | stat.S_IXUSR)
            return subprocess.run([sys.executable, EXPECTED_FAILURE, binary, "D1.Holds"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL).returncode

    def test_a_failed_expectation_and_a_death_are_the_expected_failure(self):
        self.assertEqual(self.status_of("echo '[ RUN      ] D1.Holds'; echo '[  FAILED  ] D1.Holds (1 ms)'; exit 1"), 0)
        self.assertEqual(self.status_of("echo '[ RUN      ] D1.Holds'; kill -SEGV $$"), 0)

    def test_all_else_fails_the_run(self):
        for script in ("echo '[ RUN      ] D1.Holds'; echo '[       OK ] D1.Holds (1 ms)'", "exit 0", "exit 127",
                       "kill -SEGV $$", "echo '[ RUN      ] D1.Holds'; exit 1",
                       "echo '[ RUN      ] D1.Holds'; echo '[  SKIPPED ] D1.Holds (1 ms)'"):
            with self.subTest(script):
                self.assertEqual(self.status_of(script), 1)


if __name__ == "__main__":
    unittest.main()
