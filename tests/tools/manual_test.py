"""The manual pages: everything that --help says is in them, man renders them, and they are installed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from running import BUILD, output_of

PAGES = {"baton": "baton.1", "batond": "batond.8"}


def help_of(program, *verbs):
    return output_of([os.path.join(BUILD, "bin", program), *verbs, "--help"])


def verbs_of(help_text):
    after = help_text.partition("\nSubcommands:\n")[2]
    return re.findall(r"^  (\S+)", after.split("\n\n")[0], re.MULTILINE)


def all_verbs(*above):
    """The verbs that do something, as their words."""
    found = []
    for verb in verbs_of(help_of("baton", *above)):
        below = all_verbs(*above, verb)
        found += below or [(*above, verb)]
    return found


def options_of(help_text):
    return set(re.findall(r"--[a-z][a-z-]*", help_text.partition("\nOptions:\n")[2].split("\n\n")[0])) - {"--help"}


class ManualTest(unittest.TestCase):
    def page(self, program):
        """The page without the marks of its fonts."""
        with open(os.path.join(BUILD, "man", PAGES[program])) as file:
            return re.sub(r"\\f[BIR]", "", file.read()).replace("\\-", "-")

    def test_every_verb_and_its_options_are_in_the_page(self):
        sections = re.split(r"^\.S[SH] ", self.page("baton"), flags=re.MULTILINE)
        verbs = all_verbs()
        self.assertGreater(len(verbs), 25)
        for verb in verbs:
            with self.subTest(verb):
                own = [each for each in sections if re.match(" ".join(verb) + r"( [A-Z\[-]|\n)", each)]
                self.assertEqual(len(own), 1)
                for option in options_of(help_of("baton", *verb)):
                    self.assertIn(option, own[0])

    def test_every_option_of_the_programs_is_in_the_page(self):
        for program in PAGES:
            options = options_of(help_of(program))
            self.assertIn("--root", options)
            for option in options:
                self.assertRegex(self.page(program), rf"\.TP\n(?:-o, )?{option}\b")

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_man_renders_them_without_a_warning(self):
        for program, page in PAGES.items():
            done = subprocess.run(["man", "--warnings", "-l", os.path.join(BUILD, "man", page)], capture_output=True,
                                  text=True, env={**os.environ, "MANWIDTH": "120", "LC_ALL": "C.UTF-8"})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(program, done.stdout)
            self.assertIn("EXIT STATUS", re.sub(r".\x08", "", done.stdout))

    def test_they_are_installed_with_the_programs(self):
        with tempfile.TemporaryDirectory() as prefix:
            output_of(["cmake", "--install", BUILD, "--component", "host", "--prefix", prefix])
            for file in ("bin/baton", "bin/batond", "share/man/man1/baton.1", "share/man/man8/batond.8"):
                self.assertTrue(os.path.exists(os.path.join(prefix, file)), file)


if __name__ == "__main__":
    unittest.main()
