"""Faults are put in by a seam that an ordinary build has nothing of: neither code nor data."""
import os
import subprocess
import unittest
from pathlib import Path

PROGRAM = Path(os.environ["HAWSER_BUILD"]) / "hawser"


class Seam(unittest.TestCase):
    def test_an_ordinary_program_has_no_trace_of_it(self):
        names = subprocess.run(["nm", "--demangle", str(PROGRAM)], capture_output=True, text=True, check=True).stdout
        self.assertIn("hawser::Socket::recv(", names)  # there are names to look at
        for trace in ("hawser::detail::sys::", "FaultInjection", "tampered"):
            self.assertNotIn(trace, names)


if __name__ == "__main__":
    unittest.main()
