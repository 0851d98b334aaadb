"""Take-overs: ours of a release with many gen_servers, done as an operator does it.

A batond runs the release cells 1.0.0: a simple_one_for_one supervisor with the cells, the client that calls one of
them every millisecond, idle processes, and the modules that are replaced together with the cells. Release 1.1.0, whose
cells have one field more, is installed, and then 1.0.0 again, each with its probation.
"""

import time

from node import Node, Packer
from running import Failed
from sides import Side

UP, DOWN = ("upgrade", "1.1.0"), ("downgrade", "1.0.0")
PROBATION_MS = 500
START_MS_MAX = 60000
SETTLE_SECONDS = 0.5


def dependents_of(modules):
    """What is replaced together with cells when so many modules are replaced."""
    return [f"cells_dep{i}" for i in range(1, modules)]


def release(version, dependents):
    """The description of the release: what it is that is taken over, and beside it what stays as it is."""
    modules = ["cells", *dependents]
    return "\n".join([
        "name: cells",
        f"version: {version}",
        f"sequence: {1 if version == DOWN[1] else 2}",
        "modules:",
        *(f"  - {{name: {module}, version: {version}}}" for module in modules),
        "  - {name: crowd, version: 1.0.0}",
        "  - {name: bench, version: 1.0.0}",
        "applications:",
        "  - name: cells",
        "    supervisor:",
        "      name: cells_sup",
        "      strategy: simple_one_for_one",
        "      children:",
        "        - {id: cell, module: cells, behaviour: cell}",
        "  - name: beside",
        "    supervisor:",
        "      children:",
        "        - {id: crowd, module: crowd, behaviour: crowd, name: crowd}",
        "        - {id: idlers, module: bench, behaviour: idlers, name: idlers}",
        *(f"        - {{id: {module}, module: {module}, behaviour: dependent, name: {module}}}"
          for module in dependents),
        "probation:",
        f"  duration: {PROBATION_MS}ms",
        ""])


class OurTakeover(Side):
    """`processes` cells, `idle` processes beside them, `modules` replaced together, the cells' among them."""

    def __init__(self, processes, idle, modules, expected):
        self.processes = processes
        self.idle = idle
        self.dependents = dependents_of(modules)
        self.facts = {"processes": processes, "idle": idle, "modules": modules, "mode": "atomic"}
        self.expected = expected

    def start(self, running):
        self.running = running
        self.packer = Packer(running.path("cells-bundles"))
        self.runs = 0

    def run(self):
        self.runs += 1
        node = Node(self.running, {}, name=f"cells-{self.runs}", packer=self.packer)
        node.start()
        try:
            self.begin(node)
            return [figure for way in (UP, DOWN) for figure in self.take_over(node, *way)]
        finally:
            node.stop()

    def begin(self, node):
        """Both releases are unpacked and the first one runs, with all of its processes."""
        for _, version in (DOWN, UP):  # in the order of their sequence
            node.cli("release", "unpack", self.packer.pack(release(version, self.dependents)))
        node.cli("release", "install", "cells", DOWN[1], "--probation", "0s")
        if self.idle:
            call(node, "idlers", f"{{run,{self.idle},0}}")
        call(node, "crowd", f"{{start,{self.processes}}}")
        time.sleep(SETTLE_SECONDS)
        call(node, "crowd", "longest_call")

    def take_over(self, node, direction, version):
        """From the request, with nothing of that release loaded, until the last process runs again."""
        done = node.cli("release", "install", "cells", version)
        longest_ns = int(call(node, "crowd", "longest_call"))
        lines = node.cli("operation", str(done["id"]))["lines"]
        at_ms = {line["phase"]: line["at_ms"] for line in reversed(lines)}  # of a phase's first line
        self.check(node, version, done["take_over"], lines)
        return [self.figure("takeover_total", at_ms["take_over"], direction,
                            pause_ms=done["take_over"]["pause_us"] / 1e3, rehearsal_ms=None,
                            probation_ms=at_ms["make_permanent"] - at_ms["probation"]),
                self.figure("takeover_longest_call", longest_ns / 1e6, direction)]

    def figure(self, name, ms, direction, **beside):
        return {"name": name, "value": ms, "unit": "ms", "direction": direction, **self.facts, "beside": beside}

    def check(self, node, version, took_over, lines):
        """Every process is at this version, and the code of the other one is gone."""
        if (took_over["migrated"], took_over["adopted"]) != (self.processes, len(self.dependents)):
            raise Failed(f"not all processes were taken over: {took_over}")
        for module in self.dependents:
            if call(node, module, "get_version") != f'<<"{version}">>':
                raise Failed(f"{module} is not at {version}")
        purged = [line["text"] for line in lines if line["phase"] == "purge"]
        if len(purged) != 1 + len(self.dependents) or not all(text.endswith(" is unloaded") for text in purged):
            raise Failed(f"old code stays: {purged}")


def call(node, process, request):
    """The reply of a process, as text."""
    return node.cli("call", process, request, "--timeout-ms", str(START_MS_MAX))["term"]
