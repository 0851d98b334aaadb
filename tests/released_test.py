"""The sources of each version in modules/ are what they were when it was released: its own and those it shares."""

import hashlib
import os
import re
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASED = os.path.join(ROOT, "tests", "released_sources.txt")
NINJA = os.path.join(os.environ.get("BATON_BUILD", os.path.join(ROOT, "build", "release")), "build.ninja")
CURE = ("a released version is never changed: take it back and make a new version of it (a file that versions share is "
        "copied into the folder of the version that is to differ). A new version is entered by: tests/released_test.py --add")


def versions():
    """The module and version of each folder of modules/ that has one."""
    modules = os.path.join(ROOT, "modules")
    return [(module, version) for module in sorted(os.listdir(modules)) for version in
            sorted(os.listdir(os.path.join(modules, module)) if os.path.isdir(os.path.join(modules, module)) else [])
            if os.path.exists(os.path.join(modules, module, version, "CMakeLists.txt"))]


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(module, version):
    """All files that a version is made of, by their paths: what its CMakeLists.txt names, and what these include, which
    is looked for as the compiler does."""
    own = os.path.join(ROOT, "modules", module, version)
    found = {os.path.join(own, "CMakeLists.txt")}
    call = re.search(r"SOURCES([^)]*)\)", text_of(os.path.join(own, "CMakeLists.txt")))[1]
    todo = [os.path.normpath(os.path.join(own, name)) for name in call.split()]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        for name in re.findall(r'^#include "([^"]+)"', text_of(path), re.MULTILINE):
            places = [os.path.join(place, name) for place in (os.path.dirname(path), own, os.path.dirname(own))]
            todo.append(next(place for place in places if os.path.exists(place)))
    return sorted(os.path.relpath(path, ROOT) for path in found)


def digest(module, version):
    lines = "".join(f"{hashlib.sha256(text_of(os.path.join(ROOT, path)).encode()).hexdigest()} {path}\n"
                    for path in sources(module, version))
    return hashlib.sha256(lines.encode()).hexdigest()


def released():
    return {(module, version): hexadecimal for module, version, hexadecimal in
            (line.split() for line in text_of(RELEASED).splitlines() if not line.startswith("#"))}


class ReleasedSources(unittest.TestCase):
    def test_no_released_version_was_rewritten(self):
        for (module, version), hexadecimal in released().items():
            with self.subTest(module=module, version=version):
                self.assertIn((module, version), versions(), f"{module} {version} is gone; {CURE}")
                self.assertEqual(digest(module, version), hexadecimal, f"{module} {version} has other sources; {CURE}")

    def test_every_version_is_entered(self):
        self.assertEqual([], [version for version in versions() if version not in released()], CURE)

    def test_shared_files_and_headers_are_of_the_version(self):
        self.assertIn("modules/web/routes.h", sources("web", "1.2.0"))
        self.assertIn("modules/web/1.0.0/routes.h", sources("web", "1.0.0"))
        self.assertNotIn("modules/web/routes.h", sources("web", "1.0.0"))

    @unittest.skipUnless(os.path.exists(NINJA), "not built by ninja")
    def test_the_build_tag_covers_them_all(self):
        for module, version in versions():
            with self.subTest(module=module, version=version):
                tagged = re.search(rf"-DNAME={module} -DVERSION={version} .*", text_of(NINJA))[0]
                missing = [path for path in sources(module, version)
                           if not path.endswith("CMakeLists.txt") and f"/{path}" not in tagged]
                self.assertEqual([], missing)

    def test_no_file_lies_about_that_no_version_has(self):
        used = {path for module, version in versions() for path in sources(module, version)}
        below = {os.path.relpath(os.path.join(folder, name), ROOT)
                 for module in {module for module, _ in versions()}
                 for folder, _, names in os.walk(os.path.join(ROOT, "modules", module)) for name in names}
        self.assertEqual(set(), below - used)


if __name__ == "__main__":
    if sys.argv[1:] == ["--add"]:
        known = released()
        with open(RELEASED, "a", encoding="utf-8") as out:
            for module, version in versions():
                if (module, version) not in known:
                    out.write(f"{module} {version} {digest(module, version)}\n")
    else:
        unittest.main()
