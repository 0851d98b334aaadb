"""Bundles that a trusted key has signed and that are bad nevertheless: the host judges what is inside by itself."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile

from host import HostCase, built, demo, main, needs

RELEASE = """\
name: demo
version: 2.0.0
sequence: 9
modules:
  - {name: bad, version: 1.0.0}
"""
MODULE = "modules/bad/1.0.0/bad.so"


def gate_module(name):
    return built("tests", "modules", "gate", f"{name}.so")


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def members_of(archive):
    """The name, the header's bytes and the content of each file in a tar, in order."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return [(member.name, archive[member.offset:member.offset + 512], tar.extractfile(member).read())
                for member in tar.getmembers()]


def archive_of(members):
    """Such a tar. Of a header only name, size and checksum are changed: others than pack writes are refused."""
    out = b""
    for name, header, content in members:
        header = name.encode().ljust(100, b"\0") + header[100:124] + b"%011o\0" % len(content) + header[136:]
        checksum = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
        out += header[:148] + b"%06o\0 " % checksum + header[156:] + content + bytes(-len(content) % 512)
    return out + bytes(1024)


def zstd(option, content):
    # Its size goes into the frame's header, as pack has it.
    return subprocess.run(["zstd", "-q", "-c", option, f"--stream-size={len(content)}"], input=content, stdout=subprocess.PIPE, check=True).stdout


@needs("zstd")
class Forgeries(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))
        modules = self.running.path("modules")
        os.makedirs(os.path.join(modules, "bad", "1.0.0"))
        # Accepted by the gate, and so a bundle that the other rules can be tried on.
        shutil.copy(gate_module("stateful"), os.path.join(modules, "bad", "1.0.0", "bad.so"))
        self.good = self.packer.pack(RELEASE, modules)

    def forge(self, library=None, path=MODULE):
        """The good bundle with another library in it, or at another path; its manifest and signature fit that."""
        outer = {name: (header, content) for name, header, content in members_of(content_of(self.good))}
        manifest = outer["manifest.yaml"][1].decode()
        payload = outer["payload.tar.zst"][1]
        (_, header, before), = members_of(zstd("--decompress", payload))
        after = before if library is None else content_of(gate_module(library))
        forged = zstd("-3", archive_of([(path, header, after)]))
        for old, new in ((hashlib.sha256(payload).hexdigest(), hashlib.sha256(forged).hexdigest()),
                         (hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest()),
                         (f"size: {len(before)}", f"size: {len(after)}"), (MODULE, path)):
            self.assertIn(old, manifest)
            manifest = manifest.replace(old, new)
        outer["manifest.yaml"] = (outer["manifest.yaml"][0], manifest.encode())
        outer["payload.tar.zst"] = (outer["payload.tar.zst"][0], forged)
        bundle = self.running.path("forged.baton")
        with open(bundle, "wb") as file:
            file.write(archive_of([(name, *rest) for name, rest in outer.items()]))
        return bundle

    def assert_host_refuses(self, message, bundle):
        signed = self.host.baton("sign", bundle, "--key", self.packer.key)
        # What does not even let itself be signed was refused before.
        if signed.returncode == 0:
            self.assert_refused(6, message, "upgrade", bundle)
        else:
            self.assertEqual(signed.returncode, 6)
            self.assertRegex(signed.stderr, message)
        self.assert_nothing_staged()
        self.assertEqual(self.host.statuses(), {"1.0.0": "permanent"})
        self.assertEqual(self.host.redis("PING"), "+PONG")

    def test_the_forging_itself_is_sound(self):
        bundle = self.forge()
        self.host.must("sign", bundle, "--key", self.packer.key)
        self.host.must("verify", bundle)

    def test_a_module_for_another_abi_is_refused_by_the_host(self):
        self.assert_host_refuses(r"bad\.so.*(?i:abi).*2\.0", self.forge("abi_major"))

    def test_a_module_without_a_note_is_refused_by_the_host(self):
        self.assert_host_refuses(r"bad\.so.*note", self.forge("note_missing"))

    def test_a_module_of_another_build_is_refused_by_the_host(self):
        self.assert_host_refuses(r"bad\.so.*build", self.forge("import_fork"))

    def test_a_path_that_leaves_the_bundle_is_refused(self):
        for path in ("../bad.so", "/tmp/bad.so", "modules/../../bad.so"):
            with self.subTest(path):
                self.assert_host_refuses(r"manifest\.yaml:\d+:\d+.*path|\.\./|/tmp/bad", self.forge(path=path))
                self.assertFalse(os.path.exists("/tmp/bad.so"))


if __name__ == "__main__":
    main()
