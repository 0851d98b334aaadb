"""Bench: the measurement that tools/bench runs once everything is installed; tools/bench --help says what it shows."""

import argparse
import json
import os
import platform
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))

import figures
import running
import suites
import takeovers


def machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as file:
        models = {line.split(":", 1)[1].strip() for line in file if line.startswith("model name")}
    return {"cpu": ", ".join(sorted(models)) or platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "date": time.strftime("%Y-%m-%d")}


def arguments():
    # What the options mean stands in tools/bench, which shows it without Python.
    parser = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    given = parser.parse_args()
    unknown = [suite for suite in given.suites if suite not in suites.SUITES]
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)}; there are {', '.join(suites.SUITES)}")
    if given.runs < 1:
        parser.error("--runs takes a number from 1")
    if given.json and not os.access(os.path.dirname(os.path.abspath(given.json)), os.W_OK):
        parser.error(f"--json: cannot write to the folder of {given.json}")
    # In the order of the table, each once.
    given.suites = [suite for suite in suites.SUITES if suite in given.suites or not given.suites]
    return given


def write(rows, path):
    with open(path, "w") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")


def report(measured, given):
    where = machine()
    print(f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, {where['date']}; "
          f"medians of {given.runs} runs; ratio above 1: baton is better")
    print(figures.table(measured.rows))


def main():
    given = arguments()
    try:
        dependents = takeovers.dependents_of(max(modules for (_, _, modules), _ in suites.TAKEOVERS))
        running.build("bench", ["baton-bench", "batond", "baton", "verifying_client",
                       *(f"module_{m}_1.0.0" for m in ("bench", "crowd", "hello")),
                       *(f"module_{m}_{v}" for m in ("kv", "web", "cells", *dependents) for v in ("1.0.0", "1.1.0"))])
        measured = suites.Measurement(given.suites, given.runs)
        for _ in measured.run():
            if given.json:
                write(measured.rows, given.json)
    except (running.Failed, figures.Unreadable, OSError) as error:
        running.say(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        running.say("bench: interrupted")
        return 130
    if measured.rows:
        report(measured, given)
    for problem in measured.problems:
        running.say(f"bench: {problem}")
    return 1 if measured.problems or not measured.rows else 0


if __name__ == "__main__":
    sys.exit(main())
