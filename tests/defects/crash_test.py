"""Known defects of what a host tells of a crash in a module's code, and of the memory of processes."""

import os
import re
import signal

from defects import DefectCase, demo, given, main

WRECK = """\
name: wreck
version: 1.0.0
sequence: 1
modules:
  - {name: wreck, version: 1.0.0}
applications:
  - name: wreck
    supervisor:
      children:
        - {id: wreck, module: wreck, behaviour: wreck, name: wreck}
"""


class Crashes(DefectCase):
    """A module's code ended the host without a line: not which module it was, and not in which callback."""

    def die(self, message):
        """The host dies in the callback for this message; of which signal."""
        with given("a module that ends its host"):
            self.host.deploy(WRECK)
            self.pid = self.host.cli("ps", "--module", "wreck")["processes"][0]["pid"]
            self.host.baton("cast", "wreck", message)
            return -self.host.process.wait(20)

    def assert_told(self, text, message, number):
        for what in (signal.Signals(number).name, "wreck", "1.0.0", self.pid, message):
            self.assertIn(what, text)
        self.assertRegex(text, r"\bhandle")

    def assert_reported(self, message, *signals):
        died_of = self.die(message)
        with given("the right death"):
            self.assertIn(died_of, signals)
        self.assert_told(re.sub(r"(?m)^.* is ready .*$", "", self.host.last_words()), message, died_of)

    def test_K5_a_fault_in_a_module_is_reported(self):
        # See the class.
        self.assert_reported("fault", signal.SIGSEGV)

    def test_K5_an_abort_in_a_module_is_reported(self):
        # See the class.
        self.assert_reported("abort", signal.SIGABRT)

    def test_K5_a_stack_overflow_in_a_module_is_reported(self):
        # See the class.
        self.assert_reported("overflow", signal.SIGSEGV, signal.SIGBUS)

    def test_K5_the_next_start_tells_of_a_crash(self):
        # A host that was started again knew nothing of the crash before.
        died_of = self.die("fault")
        with given("a start"):
            before = os.path.getsize(self.host.log)
            self.host.start()
        with open(self.host.log) as log:
            log.seek(before)
            self.assertIn("SIGSEGV", log.read())
        self.assert_told(self.assert_done("crash", "list").stdout, "fault", died_of)


class Memory(DefectCase):
    def test_K6_info_counts_the_memory_of_the_state(self):
        # `baton info` counted the same few hundred bytes whatever a process held.
        with given("kv with 10 MiB"):
            self.host.deploy(demo("1.0.0"))
            for i in range(10):
                self.assertEqual(self.host.redis("SET", f"key{i}", "x" * (1 << 20)), "+OK")
            pid = next(each["pid"] for each in self.host.cli("ps", "--module", "kv")["processes"]
                       if each["behaviour"] == "kv")
        self.assertGreater(self.memory_told_by_info(pid), 10 << 20)
        listed = {each["pid"]: each["memory"] for each in self.host.cli("ps")["processes"]}
        self.assertGreater(listed[pid], 10 << 20)
        self.assertLess(sum(listed.values()) - listed[pid], 1 << 20)

    def test_K6_what_was_freed_is_not_counted(self):
        # See above; and what a process frees after an upgrade was allocated by the version before.
        with given("kv with 10 MiB, and 1.1.0 of it"):
            self.host.deploy(demo("1.0.0"))
            pid = next(each["pid"] for each in self.host.cli("ps", "--module", "kv")["processes"]
                       if each["behaviour"] == "kv")
            before = self.memory_told_by_info(pid)
            for i in range(10):
                self.assertEqual(self.host.redis("SET", f"key{i}", "x" * (1 << 20)), "+OK")
            self.host.deploy(demo("1.1.0"))
        self.assertGreater(self.memory_told_by_info(pid), 10 << 20)
        for i in range(10):
            self.host.redis("DEL", f"key{i}")
        self.assertLess(abs(self.memory_told_by_info(pid) - before), 64 << 10)

    def memory_told_by_info(self, pid):
        told = self.host.must("info", pid)
        memory = re.search(r"\bmemory\b\D*(\d+)", told)
        self.assertTrue(memory, told)
        return int(memory[1])


if __name__ == "__main__":
    main()
