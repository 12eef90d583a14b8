"""Somebody else's project finds the installed library, builds against it and runs."""
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("HAWSER_BUILD", SOURCE / "build/release"))


def run(*command) -> str:
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="hawser-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    def test_a_consumer_builds_and_runs(self):
        built = self.folder / "consumer"
        run("cmake", "-S", SOURCE / "tests/consumer", "-B", built, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertNotIn(str(SOURCE / "hawser"), (built / "build.ninja").read_text())
        run("cmake", "--build", built)
        port = free_port()
        server = subprocess.Popen([built / "echo", str(port)])
        try:
            give_up = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    self.assertIsNone(server.poll(), "the server ended by itself")
                    self.assertLess(time.monotonic(), give_up, "the server never listened")
                    time.sleep(0.01)
            run(built / "greeting", port)
            run("timeout", "30", built / "patched")
        finally:
            server.kill()
            server.wait()

    def test_the_program_runs_from_where_it_was_installed(self):
        self.assertIn("0.1.0", run(self.prefix / "bin/hawser", "--version"))

    def test_the_words_come_along(self):
        for name in ("LICENSE", "README.md", "protocol.md"):
            self.assertTrue((self.prefix / "share/doc/hawser" / name).is_file(), name)


if __name__ == "__main__":
    unittest.main()
