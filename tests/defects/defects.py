"""Defects: the tests of defects that are known, a method each, named test_ROW_what_should_hold_as_a_sentence.

ROW is the defect's row in the list of known defects. A test of one that is not mended yet carries the mark
@not_mended: it has to fail, and when it passes, the run fails until the mark is taken away, in the commit that mends
the defect. For the mark counts only what the defect can be seen by:

  raised by the test                     with the mark
  AssertionError                         the expected failure; what was seen is printed
  another, and the host died of a signal the expected failure
  another                                an error: the test could not be made
  any within `given`                     an error: the test could not be made
  SkipTest                               not run
  nothing                                fails: mended, take the mark away

So a test says with `given` what has to be so before the defect shows, and asserts only what should hold: by
assert_done and assert_boots instead of must and start, and never by how long CLI_SECONDS is.

ctest knows each as Defect.ROW.what_should_hold. BATON_BUILD names the build to test, as for the end-to-end tests; it
must have the modules of this tree.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))

from host import Host, HostCase, built, demo, main, wait_until  # noqa: E402, F401
import small_disk  # noqa: E402
from running import Failed  # noqa: E402

# How long an answer may take that has nothing to wait for.
PROMPTLY_SECONDS = 10
# How long a host that has aborted may take to be gone.
DEATH_SECONDS = 5


class NotMade(Exception):
    """What a test needs could not be brought about."""


@contextlib.contextmanager
def given(what):
    """Around what has to be so for the defect to show: a failure in it is none of the defect."""
    try:
        yield
    except unittest.SkipTest:
        raise
    except Exception as error:
        raise NotMade(f"{what}: {error}") from error


def raise_again(error):
    raise error


def death_of(host):
    """Of which signal the host died by itself, or None. SIGTERM and SIGKILL are the tests' own."""
    status = None
    if host and host.process:
        try:
            # Its connections end a moment before it does.
            status = host.process.wait(DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    return -status if status and status < 0 and -status not in (signal.SIGTERM, signal.SIGKILL) else None


def not_mended(test):
    """Marks a test that has to fail: see above."""

    @functools.wraps(test)
    def run(case):
        try:
            test(case)
        except unittest.SkipTest:
            raise
        except AssertionError as seen:
            print(f"seen: {seen}", file=sys.stderr)
            raise
        except Exception as error:
            died_of = death_of(getattr(case, "host", None))
            if died_of and not isinstance(error, NotMade):
                print(f"seen: the host died of {signal.Signals(died_of).name}", file=sys.stderr)
                raise
            # Within the test any exception would be the expected failure; in a clean-up it is an error.
            case.addCleanup(raise_again, error)

    return unittest.expectedFailure(run)


class DefectCase(HostCase):
    """A test with a started host. The host may be beyond stopping when the test is over: it is killed."""

    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.host.process and self.host.process.kill())

    def in_probation(self, description, *options):
        """Upgrades to this description, which stays in probation."""
        version = description.split("version: ", 1)[1].split()[0]
        self.host.must("upgrade", self.packer.pack(description), "--probation", "60s", "--detach", *options)
        wait_until(lambda: self.host.cli("status")["release"]["version"] == version
                   and self.host.cli("status")["probation"], f"{version} is in probation")

    def versions_of(self, module):
        """That its processes run."""
        return {each["version"] for each in self.host.cli("ps", "--module", module)["processes"]
                if not each["abandoned"]}

    def run_baton(self, *words, within=PROMPTLY_SECONDS):
        """Runs the command line, which has to end in time; returns what subprocess.run does."""
        try:
            return subprocess.run([built("bin", "baton"), "--root", self.host.root, *words],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=within)
        except subprocess.TimeoutExpired:
            self.fail(f"baton {' '.join(words)[:200]} does not end within {within} s")

    def assert_done(self, *words, within=PROMPTLY_SECONDS):
        """The command line ends in time and with status 0; what it did."""
        done = self.run_baton(*words, within=within)
        self.assertEqual(done.returncode, 0, f"baton {' '.join(words)[:200]}: {done.stderr}")
        return done

    def assert_boots(self, *options):
        """The host starts, after it was stopped or killed."""
        try:
            self.host.start(*options)
        except Failed as error:
            self.fail(str(error))

    def assert_ends(self, within):
        """The host's process ends in time; its status."""
        try:
            return self.host.process.wait(within)
        except subprocess.TimeoutExpired:
            self.fail(f"the host does not end within {within} s")


class SmallDisk(small_disk.SmallDisk):
    """Where it cannot be had, the test is skipped and says so."""

    def __enter__(self):
        try:
            return super().__enter__()
        except small_disk.NoDisk as error:
            raise unittest.SkipTest(str(error)) from error
