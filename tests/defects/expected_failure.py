"""Runs one test of a GoogleTest binary that is expected to fail: its defect is not mended yet.

Usage: expected_failure.py BINARY SUITE.NAME. The status is 0 only if this test began, and an expectation of it failed
or it died of a signal. One that passes, does not exist, is skipped, or fails before its body (a bad command line, a
library that is not there) does not count.
"""

import subprocess
import sys


def main():
    binary, name = sys.argv[1:]
    done = subprocess.run([binary, f"--gtest_filter={name}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    print(done.stdout, end="")
    if f"[ RUN      ] {name}\n" not in done.stdout:
        sys.exit(f"{name} was not run")
    if "[  SKIPPED ]" in done.stdout:
        sys.exit(f"{name} was skipped")
    if done.returncode < 0:
        print(f"seen: it died of signal {-done.returncode}")
    elif f"[  FAILED  ] {name}" in done.stdout:
        print("seen: it failed")
    else:
        sys.exit(f"{name} passes: its defect is mended; make NOT_MENDED_F a TEST_F")


if __name__ == "__main__":
    main()
