"""The stock tools of each protocol and format work unmodified: redis-cli, redis-benchmark, curl, wrk, minisign."""

import json
import re
import subprocess
import tarfile

from host import CLI_SECONDS, HostCase, demo, main, needs


def run(*words, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=CLI_SECONDS,
                          **options)


class Tools(HostCase):
    def setUp(self):
        super().setUp()
        self.host.deploy(demo("1.0.0"))

    @needs("redis-cli")
    def test_redis_cli_reads_and_writes(self):
        port = str(self.host.port("kv"))
        done = run("redis-cli", "-p", port, input="SET name value\nGET name\nDEL name\nGET name\nNOSUCH\nDBSIZE\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line for line in done.stdout.splitlines() if line]
        self.assertEqual(lines[:3], ["OK", "value", "1"])
        self.assertRegex(done.stdout, "ERR unknown command")
        self.assertEqual(lines[-1], "0")
        self.assertIn("redis_version", run("redis-cli", "-p", port, "INFO").stdout)

    @needs("redis-benchmark")
    def test_redis_benchmark_measures_without_an_error(self):
        done = run("redis-benchmark", "-p", str(self.host.port("kv")), "-n", "2000", "-c", "20", "-P", "4",
                   "-t", "ping,set,get,mset", "-r", "1000", "--csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("ERR", done.stdout + done.stderr)
        rates = re.findall(r'^"(PING_INLINE|PING_MBULK|SET|GET|MSET[^"]*)","([\d.]+)"', done.stdout, re.MULTILINE)
        self.assertEqual(len(rates), 5, done.stdout)
        self.assertTrue(all(float(rate) > 0 for _, rate in rates))

    @needs("curl")
    def test_curl_orders_reads_and_cancels(self):
        address = f"http://127.0.0.1:{self.host.port('web')}"
        made = run("curl", "-sS", "-i", "-X", "POST", f"{address}/orders", "-d",
                   '{"item":"tea","quantity":2,"price":300}')
        self.assertRegex(made.stdout, r"^HTTP/1.1 201 ")
        order = json.loads(made.stdout.split("\n\n", 1)[1])
        path = f"{address}/orders/{order['id']}"
        # Two requests on one connection.
        both = run("curl", "-sS", "-v", path, path)
        self.assertEqual(both.stdout.count('"tea"'), 2)
        self.assertIn("Re-using existing connection", both.stderr)
        self.assertIn("cancelled", run("curl", "-sS", "-X", "DELETE", path).stdout)
        # A body in chunks, and one that is announced with Expect.
        chunked = run("curl", "-sS", "-X", "POST", f"{address}/orders", "-H", "Transfer-Encoding: chunked", "-H",
                      "Expect: 100-continue", "-d", '{"item":"milk","quantity":1,"price":100}')
        self.assertIn("milk", chunked.stdout)
        head = run("curl", "-sS", "-I", f"{address}/health")
        self.assertRegex(head.stdout, r"^HTTP/1.1 200 ")

    @needs("wrk")
    def test_wrk_loads_the_service_without_an_error(self):
        done = run("wrk", "-t1", "-c8", "-d1s", f"http://127.0.0.1:{self.host.port('web')}/totals")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stdout, "Non-2xx|Socket errors")
        self.assertGreater(int(re.search(r"(\d+) requests in", done.stdout)[1]), 0)


class Signatures(HostCase):
    @needs("minisign")
    def test_minisign_verifies_a_bundle_and_refuses_an_altered_one(self):
        directory = self.running.path("unpacked")
        with tarfile.open(self.packer.pack(demo("1.0.0"))) as bundle:
            self.assertEqual(bundle.getnames(), ["manifest.yaml", "manifest.minisig", "payload.tar.zst"])
            bundle.extractall(directory)
        words = ("minisign", "-V", "-p", self.packer.key + ".pub", "-m", f"{directory}/manifest.yaml",
                 "-x", f"{directory}/manifest.minisig")
        done = run(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("verified", done.stdout)
        with open(f"{directory}/manifest.yaml", "a") as manifest:
            manifest.write("# altered\n")
        self.assertNotEqual(run(*words).returncode, 0)

    @needs("minisign")
    def test_a_key_of_minisign_may_be_trusted(self):
        secret, public = self.running.path("theirs.key"), self.running.path("theirs.pub")
        made = run("minisign", "-G", "-W", "-p", public, "-s", secret)
        if made.returncode != 0:
            self.skipTest("this minisign makes no key without a password")
        self.host.must("key", "trust", public)


if __name__ == "__main__":
    main()
