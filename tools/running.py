"""Running: programs started for a demonstration or a benchmark, and the ways to be sure that they end.

Everything is started through one Running, which remembers each process, ends them by their process id when it
is closed (on failure and on Ctrl-C too), and removes the temporary directory in which they worked.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Where tools/check, tools/demo and tools/bench build, so that what one has built the others have too.
BUILD = os.environ.get("BATON_BUILD") or os.path.join(ROOT, "build", "release")

STOP_SECONDS = 10
READY_SECONDS = 20
# Whoever waits for a build hears of it this often.
PROGRESS_SECONDS = 10


class Failed(Exception):
    """Something that the caller's user has to know, in one line."""


def say(text):
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def build(name, targets, directory=BUILD):
    """Configures and builds these targets for the script of this name, and says now and then how far it is; says what the
    compiler said only if it fails."""
    say(f"{name}: building in {directory}; the first time takes minutes")
    configure = ["cmake", "-S", ROOT, "-B", directory, "-G", "Ninja", "--log-level=NOTICE"]
    for command in (configure, ["cmake", "--build", directory, "--target", *targets]):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as process:
            said = followed(process.stdout, name)
        if process.returncode != 0:
            raise Failed(f"{' '.join(command[:3])} failed:\n{said[-4000:]}")


def followed(lines, name, clock=time.monotonic):
    """What a build says, in one text. Says every few seconds how many of its steps are done."""
    said = []
    next_word = clock() + PROGRESS_SECONDS
    for line in lines:
        said.append(line)
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        if step and clock() >= next_word:
            say(f"{name}: built {step[1]} of {step[2]}")
            next_word = clock() + PROGRESS_SECONDS
    return "".join(said)


class Running:
    """Processes and their directory. A context manager: leaving it ends and removes both."""

    def __init__(self, name):
        self.directory = tempfile.mkdtemp(prefix=f"baton-{name}-")
        self.processes = []

    def __enter__(self):
        # A terminated script ends like an interrupted one: through the clean-up.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.stop(process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def start(self, command, log=None, **options):
        """Starts a program in a process group of its own, so that Ctrl-C reaches it only through us.

        log: a file, by its path or its name in the directory, for its standard error, and its output unless that is taken.
        """
        if log:
            with open(self.path(log), "ab") as file:
                options.setdefault("stdout", file)
                return self._start(command, stderr=file, **options)
        return self._start(command, **options)

    def _start(self, command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.directory)
        try:
            process = subprocess.Popen(command, start_new_session=True, **options)
        except FileNotFoundError as error:
            raise Failed(f"{command[0]} is not installed or not built") from error
        self.processes.append(process)
        return process

    def stop(self, process):
        """Asks it to end, and ends it if it does not."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        if process in self.processes:
            self.processes.remove(process)

    def wait_for_port(self, process, port, what):
        """Waits until it listens on the port."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Failed(f"{what} ended with status {process.returncode} before it listened on port {port}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failed(f"{what} does not listen on port {port} after {READY_SECONDS} s")


def output_of(command, **options):
    """What a program prints; Failed with its last words if its status is not 0."""
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is not installed or not built") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with status {done.returncode}: "
                     f"{(done.stderr or done.stdout)[-1000:].strip()}")
    return done.stdout
