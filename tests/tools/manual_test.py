"""The manual pages: everything that --help says is in them, man renders them, and they are installed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
from running import BUILD, ROOT, output_of

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


def known_keys(*above):
    """The keys that batond.yaml may have, by what is said of one that it may not; those of a mapping with its name."""
    text = "".join(f"{'  ' * depth}{key}:\n" for depth, key in enumerate(above)) + f"{'  ' * len(above)}no_such_key: 1\n"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([os.path.join(BUILD, "bin", "baton"), "config", "check", file.name], capture_output=True,
                              text=True)
    found = re.search(r"the key is not known here; known: ([a-z_, ]+)", done.stderr)
    if not found:
        return [".".join(above)]  # no mapping
    return [name for key in found[1].strip().split(", ") for name in known_keys(*above, key)]


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

    def section(self, heading):
        found = re.search(rf"^\.SH {heading}\n(.*?)^\.SH ", self.page("batond"), re.MULTILINE | re.DOTALL)
        self.assertIsNotNone(found, heading)
        return dict(re.findall(r"^\.TP\n(\S+)\n(.*)$", found[1], re.MULTILINE))

    def test_the_keys_of_the_configuration_are_those_in_the_page(self):
        keys = known_keys()
        self.assertIn("log.level", keys)
        self.assertEqual(sorted(keys), sorted(self.section("CONFIGURATION")))

    def test_the_limits_in_the_page_are_those_of_the_host(self):
        with open(os.path.join(ROOT, "host", "net", "limits.h"), encoding="utf-8") as file:
            mebibytes = re.search(r"kSendQueueBytesMax = (\d+)u << 20;", file.read())[1]
        self.assertRegex(self.section("LIMITS")["send_queue_bytes_max"], rf"^{mebibytes} MiB: ")

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
