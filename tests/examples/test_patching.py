"""Blocking C libraries in fibers, against servers of their own."""
import os
import sys
import unittest
from pathlib import Path

import examples

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "patch"))
import servers


class Patching(examples.TestCase):
    def test_a_hundred_queries_are_one_wait(self):
        with servers.running(servers.Postgres) as environment:
            said = examples.run("queries_at_once", 100, env=environment).stdout.splitlines()
        self.assertRegex(said[0], r"^100 queries that sleep for 0.1 s took [0-4]\.\d s on one thread$")
        self.assertRegex(said[1], "patience exceeded")

    def test_two_fibers_meet_in_redis(self):
        with servers.running(servers.Redis) as environment:
            said = examples.run("redis_ping_pong", environment["REDIS_PORT"], 500).stdout
        self.assertEqual(said, "after 500 rounds: 500\n")

    def test_pages_come_at_once_and_each_failure_is_its_own(self):
        with servers.running(servers.Http) as environment:
            here = f"http://127.0.0.1:{environment['HTTP_PORT']}"
            pages = [f"{here}/meet/3", f"{here}/meet/3", f"{here}/meet/3", f"{here}/to/text/1000"]
            bad = ["http://127.0.0.1:1/", f"{here}/never", "http://no.such.host.invalid/"]
            environment = {**os.environ, "NO_PROXY": "*"}
            said = sorted(examples.run("fetch_at_once", *pages, *bad, env=environment).stdout.splitlines())
        self.assertEqual([line for line in said if "meet" in line], [f"{here}/meet/3: 2 bytes"] * 3)
        self.assertIn(f"{here}/to/text/1000: 1000 bytes", said)
        self.assertIn(f"{here}/never: Timeout was reached", said)
        self.assertTrue(any("Couldn't connect" in line for line in said), said)
        self.assertTrue(any("Couldn't resolve host" in line for line in said), said)


if __name__ == "__main__":
    unittest.main()
