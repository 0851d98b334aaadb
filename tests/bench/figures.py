"""Figures: what a benchmark program prints, and the rows that compare ours with a peer's.

A figure is one measurement: a dictionary with name, value, unit, and further facts such as direction. What was measured
on the way and is no figure of its own lies under `beside`, by name; None says that there was no such step. A run is the
list of figures that one start of a program printed. Everything here is pure: no process, no clock.
"""

import csv
import json
import re
import statistics

# Which way a unit is better.
LESS_IS_BETTER = {"ns": True, "us": True, "ms": True, "bytes": True, "percent_of_core": True, "per_s": False}
# The units of wrk's report, in microseconds.
WRK_TIMES_US = {"us": 1.0, "ms": 1e3, "s": 1e6}


class Unreadable(Exception):
    """A program's output is not what it should be."""


def ratio(unit, ours, theirs):
    """How many times better ours is; above 1 we are better. None where one of them is 0."""
    if unit not in LESS_IS_BETTER:
        raise Unreadable(f"unit {unit!r} is none of {', '.join(LESS_IS_BETTER)}")
    better, worse = (theirs, ours) if LESS_IS_BETTER[unit] else (ours, theirs)
    return better / worse if ours and theirs else None


def facts(figure):
    """What tells this figure from others of the same name."""
    return {k: v for k, v in figure.items() if k not in ("name", "value", "unit", "beside")}


def key_of(figure):
    """What figures must have in common to be compared."""
    return figure["name"], figure["unit"], tuple(sorted(facts(figure).items()))


def parse_json_lines(text):
    """The figures that a program of tests/bench printed, an object a line."""
    figures = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            figure = json.loads(line)
            figures.append({**figure, "name": figure["name"], "value": float(figure["value"]),
                            "unit": figure["unit"]})
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"line {number} is no figure: {line!r}") from error
    return figures


def parse_wrk(text):
    """The figures of a report of `wrk --latency`; errors that it counted make the report unreadable."""
    for pattern in (r"Non-2xx or 3xx responses: (\d+)", r"Socket errors: (.+)"):
        found = re.search(pattern, text)
        if found and re.search("[1-9]", found.group(1)):
            raise Unreadable(f"wrk saw errors: {found.group(0)}")
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    if not rate:
        raise Unreadable(f"no Requests/sec in what wrk printed: {text[-200:]!r}")
    figures = [{"name": "http_request_rate", "value": float(rate.group(1)), "unit": "per_s"}]
    for share in ("50", "99"):
        time = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
        if time:
            figures.append({"name": f"http_latency_p{share}", "unit": "us",
                            "value": float(time.group(1)) * WRK_TIMES_US[time.group(2)]})
    return figures


def parse_redis_benchmark(text, pipeline):
    """The figures of `redis-benchmark --csv`: a rate and a 99th percentile for each command."""
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or "rps" not in rows[0] or "p99_latency_ms" not in rows[0]:
        raise Unreadable(f"no table in what redis-benchmark printed: {text[:200]!r}")
    figures = []
    for row in rows:
        command = row["test"].split()[0].lower()
        where = {"pipeline": pipeline}
        figures.append({"name": f"kv_{command}_rate", "value": float(row["rps"]), "unit": "per_s", **where})
        figures.append({"name": f"kv_{command}_p99", "value": float(row["p99_latency_ms"]), "unit": "ms", **where})
    return figures


def samples(runs):
    """The values of each figure over all runs: {(name, unit, facts): [value, ...]}, in order of appearance."""
    values = {}
    for run in runs:
        for figure in run:
            values.setdefault(key_of(figure), []).append(figure["value"])
    return values


def beside(runs):
    """The medians of what our runs measured beside each figure: {its key: {name: median or None}}."""
    values = {}
    for run in runs:
        for figure in run:
            for name, value in figure.get("beside", {}).items():
                values.setdefault(key_of(figure), {}).setdefault(name, []).append(value)
    return {key: {name: None if None in given else statistics.median(given) for name, given in named.items()}
            for key, named in values.items()}


def rows(suite, ours, peers):
    """Compares medians: a row for each of our figures and peer that has it, or one without a peer.

    ours: the runs of our side; peers: {peer's name: its runs}. A figure that only a peer has is no row. What we measured
    beside a figure is part of its row.
    """
    beside_ours = beside(ours)
    theirs = {peer: samples(runs) for peer, runs in peers.items()}
    compared = []
    for key, values in samples(ours).items():
        name, unit, further = key
        having = [peer for peer in theirs if key in theirs[peer]]
        for peer in having or [None]:
            row = {"suite": suite, "name": name, "unit": unit, **dict(further),
                   **beside_ours.get(key, {}), "baton": statistics.median(values), "peer": peer,
                   "peer_value": None, "ratio": None, "samples": {"baton": values}}
            if peer:
                row["peer_value"] = statistics.median(theirs[peer][key])
                row["ratio"] = ratio(unit, row["baton"], row["peer_value"])
                row["samples"][peer] = theirs[peer][key]
            compared.append(row)
    return compared


def unpaired(ours, peers):
    """What only a peer has measured, as (peer's name, figure's name and facts): the work of both should be the same."""
    known = samples(ours)
    return [(peer, " ".join([key[0], *described(dict(key[2]))]))
            for peer, runs in peers.items() for key in samples(runs) if key not in known]


def described(further):
    """Facts for people."""
    return [f"{name}={number(value) if value is None or isinstance(value, float) else value}"
            for name, value in further.items()]


def number(value):
    """A figure for people: four digits, thousands apart."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def table(all_rows):
    """The rows as text, aligned, below the name of their suite."""
    lines = [["", "unit", "baton", "peer", "peer's", "ratio", ""]]
    known = {"suite", "name", "unit", "baton", "peer", "peer_value", "ratio", "samples"}
    suite = None
    for row in all_rows:
        if row["suite"] != suite:
            suite = row["suite"]
            lines.append([suite.upper()])
        further = " ".join(described({k: v for k, v in row.items() if k not in known}))
        lines.append(["  " + row["name"], row["unit"], number(row["baton"]), row["peer"] or "-",
                      number(row["peer_value"]), number(row["ratio"]), further])
    full = [line for line in lines if len(line) > 1]
    widths = [max(len(line[i]) for line in full) for i in range(len(full[0]))]
    right = {2, 4, 5}
    return "\n".join(
        "  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)
