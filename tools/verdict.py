"""Verdict: what tools/demo concludes from what its clients saw. Pure: no process, no clock."""

import re

BAD_RELEASE_MS_MAX = 2000
SERVICES = ("kv", "web")


def step_row(name, total_ms, seen):
    """A step of the demonstration as a row of its table; seen: the verifying client's figures of it."""
    figures = [seen[service] for service in SERVICES]
    return {
        "step": name,
        "total_ms": round(total_ms, 1),
        "longest_pause_ms": round(max(f["longest_pause_ms"] for f in figures), 2),
        "kv_pause_ms": seen["kv"]["longest_pause_ms"],
        "web_pause_ms": seen["web"]["longest_pause_ms"],
        "requests": sum(f["requests"] for f in figures),
        "failed_requests": sum(f["failed"] for f in figures),
        "dropped_connections": sum(f["dropped"] for f in figures),
        "lost_keys": sum(f["lost"] for f in figures),
    }


def verdict(rows, bad_step, seen_bad, back_unix_ms, rolled_back, wrk_failed, wrk_broken):
    """The demonstration's result, as tools/demo --json prints it, and what is wrong with it, a line each.

    bad_step: the name of the row in which the bad release ran; seen_bad: the client's figures of it.
    back_unix_ms: when the last process was back on the old version.
    wrk_failed, wrk_broken: requests that failed outside the bad step and connections that broke, as wrk saw it.
    Errors of web in the bad step, up to then, are the bad release's; every other failure is ours.
    """
    errors = seen_bad["web"]["failed"]
    first, last = seen_bad["web"]["first_failure_unix_ms"], seen_bad["web"]["last_failure_unix_ms"]
    bad_row = next(row for row in rows if row["step"] == bad_step)
    failed = sum(row["failed_requests"] for row in rows if row is not bad_row)
    failed += bad_row["failed_requests"] - errors + wrk_failed
    result = {
        "failed_requests": failed,
        "dropped_connections": sum(row["dropped_connections"] for row in rows) + wrk_broken,
        "lost_keys": sum(row["lost_keys"] for row in rows),
        "rolled_back": rolled_back,
        "bad_release_errors": errors,
        "bad_release_ms": round(max(back_unix_ms - first, 0), 1) if errors else None,
        "steps": rows,
    }
    wrong = [f"{result[count]} {count.replace('_', ' ')}, expected none"
             for count in ("failed_requests", "dropped_connections", "lost_keys") if result[count]]
    if not rolled_back:
        wrong.append("the bad release was not rolled back")
    if not errors:
        wrong.append("the bad release served no errors, so it proves nothing")
    elif result["bad_release_ms"] >= BAD_RELEASE_MS_MAX:
        wrong.append(f"errors for {result['bad_release_ms']} ms, expected under {BAD_RELEASE_MS_MAX}")
    if errors and last > back_unix_ms:
        wrong.append(f"an error {last - back_unix_ms:.0f} ms after the last process was back on the old version")
    return result, wrong


def wrk_failures(report):
    """Failed requests and broken connections in what wrk printed."""
    if "Requests/sec" not in report:
        return 1, 0
    failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", report))
    broken = sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", report))
    return failed, broken


def table(rows):
    """The rows as text."""
    columns = [("step", "step"), ("ms", "total_ms"), ("longest pause, ms", "longest_pause_ms"),
               ("requests", "requests"), ("failed", "failed_requests"), ("dropped", "dropped_connections"),
               ("lost keys", "lost_keys")]
    lines = [[head for head, _ in columns]] + [[f"{row[key]:,}" if key != "step" else row[key]
                                                for _, key in columns] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)
