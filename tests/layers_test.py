"""The rules of the source tree that a compiler does not know: who may include whom, which file may name which
library, what files are called, how they look, and that nothing is left lying about.

Run by ctest; by hand: python3 tests/layers_test.py
"""

import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = {".git", "build", "out", "__pycache__"}

# What a room may include beside itself; host/README.md draws it. Of module, description and bundle each room sees what
# it needs: net and behaviour descriptions, code and takeover modules.
ALLOWED = {
    "base": set(),
    "term": {"base"},
    "module": {"term", "base"},
    "description": {"term", "base"},
    "bundle": {"description", "module", "term", "base"},
    "code": {"module", "term", "base"},
    "runtime": {"code", "term", "base"},
    "behaviour": {"runtime", "code", "description", "term", "base"},
    "net": {"runtime", "code", "description", "term", "base"},
    "observe": {"runtime", "code", "term", "base"},
    "takeover": {"runtime", "code", "module", "term", "base"},
    "release": {"takeover", "bundle", "runtime", "code", "description", "module", "term", "base"},
    "node": {"release", "takeover", "behaviour", "net", "observe", "bundle", "runtime", "code", "description", "module",
             "term", "base"},
}
# The tools speak to a host through its admin interface and need no more than these.
TOOLS = {"bundle", "description", "module", "term", "base"}
# But for what batond.yaml and batond's options may say: the one is checked here too, the other is in the manual.
TOOLS_TOO = {"node/config.h", "node/options.h"}

# Third-party libraries, by how their headers begin, and the only places that may include them.
SEAMS = {
    "boost/dll": ["host/code/library."],
    "boost/asio": ["host/runtime/poller.", "host/net/", "host/node/", "tools/baton/client."],
    "boost/beast": ["host/net/http", "host/node/admin", "tools/baton/client."],
    "yaml-cpp/": ["host/description/yaml."],
    "spdlog/": ["host/base/log."],
    "archive": ["host/bundle/archive."],
    "zstd": ["host/bundle/archive."],
    "sodium": ["host/bundle/signature.", "host/base/hash."],
    "CLI/": ["tools/", "host/node/options."],
    "mimalloc": ["host/node/"],
}
# As .clang-format says.
COLUMNS = 100
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "impl", "misc"}


def sources(*suffixes, under=("host", "modules", "tools", "tests")):
    """The files with these endings, as paths from the root."""
    for top in under:
        for directory, folders, files in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("build"))
            for file in sorted(files):
                if file.endswith(suffixes):
                    yield os.path.relpath(os.path.join(directory, file), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def quoted_includes(path):
    return re.findall(r'^\s*#include "([^"]+)"', read(path), re.MULTILINE)


def angled_includes(path):
    return re.findall(r"^\s*#include <([^>]+)>", read(path), re.MULTILINE)


class LayersTest(unittest.TestCase):
    def assert_none(self, found):
        self.assertEqual([], sorted(found), "\n" + "\n".join(sorted(found)))

    def test_a_room_includes_only_itself_and_what_lies_below(self):
        wrong = []
        for path in sources(".h", ".cc", under=["host"]):
            room = path.split("/")[1]
            for include in quoted_includes(path):
                other = include.split("/")[0]
                if room in ALLOWED and "/" in include and other not in ALLOWED[room] | {room}:
                    wrong.append(f"{path} includes {include}")
        self.assert_none(wrong)

    def test_what_module_authors_include_needs_nothing_of_the_host(self):
        wrong = [f"{path} includes {include}" for path in sources(".h", under=["host/include"])
                 for include in quoted_includes(path)]
        self.assert_none(wrong)

    def test_what_module_authors_get_cites_nothing_that_they_have_not(self):
        wrong = [f"{path} cites {cited}" for path in sources(".h", ".cmake", ".in", ".ld", ".map", under=["host/include"])
                 for cited in re.findall(r"[\w./]+\.md\b|\bdocs\b.*|\bhost/[a-z]+/[\w.]+|\bsection \d+", read(path))]
        self.assert_none(wrong)

    def test_modules_include_only_their_own_files_and_the_sdk(self):
        wrong = [f"{path} includes {include}" for path in sources(".h", ".cc", ".c", under=["modules"])
                 for include in quoted_includes(path) if "/" in include]
        self.assert_none(wrong)

    def test_the_command_line_includes_no_room_that_runs_a_host(self):
        wrong = []
        for path in sources(".h", ".cc", under=["tools"]):
            for include in quoted_includes(path):
                if include.split("/")[0] in set(ALLOWED) - TOOLS and include not in TOOLS_TOO:
                    wrong.append(f"{path} includes {include}")
        self.assert_none(wrong)

    def test_third_party_libraries_stay_behind_their_seams(self):
        wrong = []
        for path in sources(".h", ".cc", under=["host", "modules", "tools"]):
            for include in angled_includes(path):
                for library, places in SEAMS.items():
                    if include.startswith(library) and not path.startswith(tuple(places)):
                        wrong.append(f"{path} includes {include}, which belongs in {' or '.join(places)}")
        self.assert_none(wrong)

    def test_files_are_named_for_what_is_in_them(self):
        wrong = [path for path in sources(".h", ".cc", ".c", ".py")
                 if VAGUE_NAMES & set(re.split(r"[_.]", os.path.basename(path)))]
        self.assert_none(wrong)

    def test_every_source_file_is_built(self):
        # By name in a build file or in a script that builds, or by a pattern over its folder.
        built = "".join(read(path) for path in sources("CMakeLists.txt", ".cmake", ".py"))
        wrong = []
        for path in sources(".cc", ".c"):
            folder, file = path.split("/")[-2:]
            if not re.search(rf"\b{re.escape(file.rsplit('.', 1)[0])}\b", built) and f"{folder}/*.c" not in built:
                wrong.append(path)
        self.assert_none(wrong)

    def test_every_header_is_included(self):
        included = {include.rsplit("/", 1)[-1] for path in sources(".h", ".cc", ".c", ".in", ".cmake", "CMakeLists.txt")
                    for include in quoted_includes(path) + angled_includes(path)}
        wrong = [path for path in sources(".h") if os.path.basename(path) not in included]
        self.assert_none(wrong)

    def test_every_header_says_first_what_it_is(self):
        wrong = [path for path in sources(".h") if not read(path).startswith(("// ", "/* "))]
        self.assert_none(wrong)

    def test_code_is_as_the_formatter_leaves_it(self):
        done = subprocess.run(["clang-format-14", "--dry-run", *sources(".h", ".cc", ".c")], cwd=ROOT, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wrong = re.findall(r"^(\S+:\d+):\d+: ", done.stdout, re.MULTILINE)
        self.assert_none({f"{place}; run: clang-format-14 -i {place.split(':')[0]}" for place in wrong})
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_comments_keep_their_width_and_their_paragraphs(self):
        # The formatter leaves them alone.
        wrong = []
        for path in sources(".h", ".cc", ".c"):
            for number, line in enumerate(read(path).splitlines(), 1):
                if len(line) > COLUMNS and len(line.split()) > 1:
                    wrong.append(f"{path}:{number} has {len(line)} columns, {COLUMNS} are allowed")
                if re.search(r"^\s*(//|\*) .*\S (Invariants|Ownership|Threads|Fails): ", line):
                    wrong.append(f"{path}:{number}: a paragraph does not begin its line")
        self.assert_none(wrong)

    def test_nothing_is_left_for_now(self):
        wrong = [f"{path}: {mark}" for path in sources(".h", ".cc", ".c", ".py", ".cmake", "CMakeLists.txt")
                 if path != "tests/layers_test.py"
                 for mark in re.findall(r"TODO\(now\)|\bFIXME\b|\bXXX\b", read(path))]
        self.assert_none(wrong)

    def test_invariants_are_checked_in_every_build(self):
        wrong = [path for path in sources(".h", ".cc", under=["host", "tools", "modules"])
                 if re.search(r"(?<![\w.>])assert\(", read(path))]
        self.assert_none(wrong)


if __name__ == "__main__":
    unittest.main()
