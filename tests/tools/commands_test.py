"""What a person types: tools/setup, check, demo, chaos and bench explain themselves, also where Python is not installed yet."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import suites

COMMANDS = ("setup", "check", "demo", "chaos", "bench")
# What is in Debian's smallest root, as far as --help needs it.
BARE = ("env", "bash", "sed", "dirname", "nproc", "id")


def run(command, *arguments, **options):
    return subprocess.run([os.path.join(ROOT, "tools", command), *arguments], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **options)


def help_of(command):
    return run(command, "--help").stdout


class CommandsTest(unittest.TestCase):
    # tools/demo was Python, and its first words on a bare machine were env's: no such file.
    def test_each_explains_itself_where_there_is_no_python(self):
        with tempfile.TemporaryDirectory() as bare:
            for program in BARE:
                os.symlink(shutil.which(program), os.path.join(bare, program))
            for command in COMMANDS:
                with self.subTest(command):
                    done = run(command, "--help", env={"PATH": bare})
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertRegex(done.stdout, rf"^{command}: .*\.\n")
                    self.assertIn(f"\nUsage: tools/{command} ", done.stdout)

    def test_each_option_of_the_python_programs_is_explained(self):
        for command, program in (("demo", "tools/demo.py"), ("chaos", "tools/chaos.py"),
                                 ("bench", "tests/bench/bench.py")):
            with open(os.path.join(ROOT, program), encoding="utf-8") as file:
                options = re.findall(r'add_argument\("(--[a-z]+)"', file.read())
            self.assertGreater(len(options), 1)
            for option in options:
                self.assertRegex(help_of(command), rf"(?m)^  {option}\b")

    def test_each_suite_of_bench_is_explained(self):
        for suite in suites.SUITES:
            self.assertRegex(help_of("bench"), rf"(?m)^    {suite} +\S")

    def test_what_is_not_known_is_named(self):
        for command, argument in (("setup", "--nonsense"), ("check", "--nonsense"), ("check", "--nonsense=1"),
                                  ("demo", "--nonsense=1"), ("chaos", "--nonsense=1"),
                                  ("bench", "--nonsense=1")):
            with self.subTest(f"{command} {argument}"):
                done = run(command, argument)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--nonsense", done.stderr)

    def test_an_option_takes_its_value_after_a_blank_or_an_equals_sign(self):
        # Each is refused for its value, so it was understood.
        for command, option, value, said in (("check", "--jobs", "0", "--jobs takes a number from 1, not '0'"),
                                             ("demo", "--keys", "0", "--keys takes a number from 1"),
                                             ("chaos", "--minutes", "0", "--minutes takes a number above 0"),
                                             ("bench", "--runs", "0", "--runs takes a number from 1")):
            for words in ((option, value), (f"{option}={value}",)):
                with self.subTest(f"{command} {words}"):
                    done = run(command, *words)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(said, done.stderr)
        for words in (("--build",), ("--build=",)):
            done = run("check", *words)
            self.assertEqual((done.returncode, done.stderr),
                             (2, "check: --build needs a value; see tools/check --help\n"))

    def test_a_flag_takes_no_value(self):
        for command, words, said in (("check", "--long=1", "check: --long takes no value"),
                                     ("setup", "--peers=1", "setup: --peers takes no value")):
            done = run(command, words)
            self.assertEqual((done.returncode, done.stderr), (2, f"{said}; see tools/{command} --help\n"))


if __name__ == "__main__":
    unittest.main()
