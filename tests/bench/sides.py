"""Sides: what tools/bench runs against each other, and those of them that are programs that print their figures.

A side is started once, run as often as asked, and ends with the Running in which it was started. All its runs give
figures of the same names. Figures are compared only with those of the other sides of its group (suites.py).
"""

import glob
import os
import shutil

import figures
from running import BUILD, ROOT, output_of

PEERS = os.path.join(ROOT, "tests", "bench", "peers")


class Side:
    """`name`: "baton" or the peer's. `expected`: about how many seconds a run takes, to estimate the time left."""

    name = "baton"
    expected = 10

    def is_installed(self):
        return True

    def start(self, running):
        """What is done once, before the first run."""

    def run(self):
        """One run's figures."""
        raise NotImplementedError


def peer_file(*parts):
    return os.path.join(PEERS, *parts)


class Programs(Side):
    """Programs of which each prints figures, one after the other. `commands`: the arguments of each."""

    def __init__(self, *commands, expected):
        self.commands = [[str(a) for a in command] for command in commands]
        self.expected = expected

    def run(self):
        return [figure for command in self.commands for figure in figures.parse_json_lines(self.output_of(command))]

    def output_of(self, arguments):
        raise NotImplementedError


class OurBench(Programs):
    def output_of(self, arguments):
        return output_of([os.path.join(BUILD, "tests", "bench", "baton-bench"), *arguments])


class Otp(Programs):
    """Modules' main of tests/bench/peers/otp: the module is the first argument."""

    name = "otp"

    def is_installed(self):
        return shutil.which("erl") and shutil.which("erlc")

    def start(self, running):
        self.work = running.path("otp")
        os.makedirs(self.work)
        output_of(["erlc", "-o", self.work, *glob.glob(peer_file("otp", "*.erl"))])

    def output_of(self, arguments):
        module, *others = arguments
        return output_of(["erl", "+P", "5000000", "-noshell", "-run", module, "main", *others], cwd=self.work)


class Caf(Programs):
    name = "caf"

    def is_installed(self):
        return os.path.exists("/usr/include/caf/all.hpp")

    def start(self, running):
        self.program = running.path("caf-processes")
        output_of(["g++", "-O2", "-std=c++17", "-o", self.program, peer_file("caf", "processes.cc"),
                   "-lcaf_core", "-lpthread"])

    def output_of(self, arguments):
        return output_of([self.program, *arguments])
