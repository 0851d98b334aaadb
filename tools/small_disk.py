"""SmallDisk: a file system of its own, in memory, over a directory: one that can be full.

It is mounted in a mount namespace of this process, so that it goes with the process whatever happens. That needs root.
"""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNS = 0x00020000


class NoDisk(Exception):
    """It cannot be had here, and why."""


class SmallDisk:
    """A context manager. Threads that are to see it are started within."""

    PAGE = 4096

    def __init__(self, directory, size="8m"):
        self.directory = directory
        self.size = size
        self.ballast = os.path.join(directory, "ballast")

    def __enter__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            raise NoDisk(f"no mount namespace for a small disk: {os.strerror(ctypes.get_errno())}")
        for words in (["--make-rprivate", "/"],
                      ["-t", "tmpfs", "-o", f"size={self.size},mode=0750", "baton-small", self.directory]):
            done = subprocess.run(["mount", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise NoDisk(f"a small disk cannot be mounted: {done.stdout.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.directory], check=True)

    def fill(self):
        """To the last byte, but for what is left in the last page of files that are there."""
        with open(self.ballast, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(self.PAGE))

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.ballast)
