"""The first module of README.md, followed to the letter.

Fences that name a file are that file; the shell's fences are one script, and where a command that prints a value is
followed by a comment, the comment is what it printed last.
"""

import os
import re
import subprocess
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ["BATON_BUILD"]
FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECKED = re.compile(r"^(baton (?:call|state|rollback) .*?)\s+# (.*)$", re.MULTILINE)


class ReadmeTest(unittest.TestCase):
    def test_the_first_module_does_what_the_readme_says(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            section = file.read().split("## Your first module", 1)[1].split("\n## ", 1)[0]
        expected = []
        script = "set -em\ntrap 'kill %1 2> /dev/null' EXIT\n"
        with tempfile.TemporaryDirectory() as work:
            for language, name, text in FENCE.findall(section):
                if name:
                    path = os.path.join(work, name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(text)
                elif language == "sh":
                    expected += [shown for _, shown in CHECKED.findall(text)]
                    script += CHECKED.sub(r'echo "shown: $(\1 | tail -n 1)"', text)
            script = script.replace("$BATON/build/release", BUILD)
            done = subprocess.run(["bash", "-c", script], cwd=work, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        self.assertGreater(len(expected), 4)
        self.assertEqual(re.findall(r"^shown: (.*)$", done.stdout, re.MULTILINE), expected, done.stdout[-3000:])


if __name__ == "__main__":
    unittest.main()
