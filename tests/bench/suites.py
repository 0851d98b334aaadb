"""Suites: which sides are compared for what, and the running of them, turn by turn.

A suite is a list of groups. The sides of a group take turns, one under load at a time, and are compared with each other;
when a group is over, everything that was started for it has ended. A side that fails is named and left out; the
others go on.
"""

import contextlib
import signal
import subprocess
import time

import figures
from progress import Progress, duration
from running import Failed, Running, say
from servers import Cowboy, Nginx, OtpIdle, OurHttp, OurIdle
from sides import Caf, Otp, OurBench
from stores import OurKv, OurKvUpgrade, Redis, RedisRestart
from takeovers import OurTakeover

# Take-overs that are measured: processes, idle processes beside them, modules replaced together; and the seconds that
# a run of ours and of the peer's takes.
TAKEOVERS = [((100000, 0, 1), (3, 9)),
             ((100000, 0, 10), (3, 20)),
             ((100000, 1000000, 1), (4, 33))]
PARTS = [["processes"], ["idle_processes"], ["idle_servers"]]

SUITES = {
    "takeover": [[OurTakeover(*what, expected=ours), Otp(["takeover", *what], expected=otp)]
                 for what, (ours, otp) in TAKEOVERS],
    "processes": [[OurBench(*PARTS, expected=10), Otp(*(["processes", *part] for part in PARTS), expected=40),
                   Caf(*PARTS[:2], expected=7)],
                  [OurIdle(), OtpIdle()]],
    "http": [[OurHttp(), Cowboy(), Nginx()]],
    "kv": [[OurKv(), Redis()], [OurKvUpgrade(), RedisRestart()]],
}
# The longest that a side's start or one run may take.
SECONDS_MAX = 300
FAILURES = (Failed, figures.Unreadable, OSError, subprocess.SubprocessError)


@contextlib.contextmanager
def bounded(seconds):
    """Whatever is done in it ends after this time, with Failed. Requires: the main thread."""
    def give_up(*_):
        raise Failed(f"no end after {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Measurement:
    """Runs suites. `rows`: what is known so far; `problems`: what failed, a line each."""

    def __init__(self, suites, runs):
        self.runs = runs
        self.rows = []
        self.problems = []
        self.groups = []  # (suite, its sides that are installed)
        for suite in suites:
            for group in SUITES[suite]:
                self.groups.append((suite, [side for side in group if side.is_installed()]))
                for side in group:
                    if not side.is_installed():
                        say(f"bench: {suite}: {side.name} is not installed (tools/setup --peers)")
        sides = [side for _, group in self.groups for side in group]
        turns = [side for _, group in self.groups for _ in range(runs) for side in group]
        self.progress = Progress(turns, {side: side.expected for side in sides})

    def run(self):
        """Measures group by group; yields after each."""
        say(f"bench: about {duration(self.progress.seconds_left())}")
        for suite, sides in self.groups:
            with Running("bench") as running:
                self.run_group(suite, sides, running)
            yield

    def run_group(self, suite, sides, running):
        taken = {}
        for side in sides:
            if self.attempt(suite, side, lambda side=side: side.start(running)) is not self.FAILED:
                taken[side] = []
        for turn in range(1, self.runs + 1):
            for side in list(taken):
                number, began = self.progress.number(), time.monotonic()
                run = self.attempt(suite, side, side.run)
                if run is self.FAILED:
                    del taken[side]
                    continue
                took = time.monotonic() - began
                taken[side].append(run)
                self.progress.took(side, took)
                say(f"bench: {number} of {self.progress.total}: {suite}: {side.name}, run {turn} of {self.runs}, "
                    f"{took:.1f} s; about {duration(self.progress.seconds_left())} left")
        ours = [run for side, runs in taken.items() if side.name == "baton" for run in runs]
        peers = {side.name: runs for side, runs in taken.items() if side.name != "baton"}
        self.rows += figures.rows(suite, ours, peers)
        if ours:
            for peer, name in figures.unpaired(ours, peers):
                self.problem(f"{suite}: {peer} has a figure that baton has not: {name}")

    FAILED = object()

    def attempt(self, suite, side, work):
        """What `work` returns, or FAILED, and then the side's other turns are given up."""
        try:
            with bounded(SECONDS_MAX):
                return work()
        except FAILURES as error:
            self.progress.give_up(side)
            self.problem(f"{suite}: {side.name} failed and is left out: {error}")
            return self.FAILED

    def problem(self, text):
        say(f"bench: {text}")
        self.problems.append(text)
