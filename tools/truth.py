"""Truth: what has to be so after each round of tools/chaos. Pure: texts and figures in, what is wrong out."""

import re
import statistics

# host/release/status.h, read by somebody else than the host.
NEXT = {
    ("absent", "unpack"): "unpacked",
    ("unpacked", "install"): "current",
    ("unpacked", "remove"): "absent",
    ("current", "make_permanent"): "permanent",
    ("current", "fail_probation"): "failed_in_probation",
    ("current", "node_crash"): "failed_in_probation",
    ("current", "node_stop"): "unpacked",
    ("permanent", "install"): "permanent",
    ("old", "install"): "current",
    ("old", "remove"): "absent",
    ("failed_in_probation", "install"): "current",
    ("failed_in_probation", "remove"): "absent",
}
NEXT_OF_OTHERS = {
    ("current", "install"): "old",
    ("current", "make_permanent"): "old",
    ("permanent", "make_permanent"): "old",
}


def statuses_of(journal):
    """Of each release by its version, as the text of a journal has it."""
    statuses = {}
    for line in journal.splitlines():
        record = dict(re.findall(r"([a-z_]+)=(\S*)", line[26:]))
        version = record.get("version")
        if record.get("snapshot") == "release":
            statuses[version] = record["status"]
        elif "action" in record and "step" not in record and "snapshot" not in record:
            action = record["action"]
            statuses = {each: NEXT_OF_OTHERS.get((status, action), status) if each != version else status
                        for each, status in statuses.items()}
            statuses[version] = NEXT[statuses.get(version, "absent"), action]
            if statuses[version] == "absent":
                del statuses[version]
    return statuses


def running_of(statuses):
    """The version that is to run: the current one if there is one, else the permanent one."""
    by_status = {status: version for version, status in statuses.items()}
    return by_status.get("current") or by_status.get("permanent")


def endless_in(modules):
    """The processes, with module and version, whose callback "endless" is inside, as the host shows its modules."""
    return {named[1]: (each["module"], each["version"]) for each in modules for text in each["stuck"]
            if (named := re.match(r"(<[\d.]+>) in .*\(endless\) ", text))}


def growth(figures):
    """By how much a row of figures grows from each to the next: the median of the slopes between any two of them, to
    which a few that stand out say nothing."""
    return statistics.median((later - earlier) / (j - i) for j, later in enumerate(figures)
                             for i, earlier in enumerate(figures[:j]))


def unequal(of, expected, found):
    """A line for each name whose count is another."""
    return [f"{of}: {found.get(name, 0)} of {name}, expected {expected.get(name, 0)}"
            for name in sorted({*expected, *found}) if expected.get(name, 0) != found.get(name, 0)]
