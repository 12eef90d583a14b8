"""The runtime on AArch64: compiled across and run by qemu (its registers, first frames and stacks seen from outside)."""
import os
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ["HAWSER_BUILD"]) / "aarch64"


class Aarch64(unittest.TestCase):
    def succeed(self, *command: str) -> str:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_the_runtime_runs_there(self):
        self.succeed("cmake", "-S", str(SOURCE / "tests" / "aarch64"), "-B", str(BUILD), "-G", "Ninja",
                     "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
                     "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        self.succeed("cmake", "--build", str(BUILD), "-j2")
        said = self.succeed("qemu-aarch64", str(BUILD / "on_aarch64"))
        self.assertIn("all as it should be", said)


if __name__ == "__main__":
    unittest.main()
