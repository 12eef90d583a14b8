"""No function of the libraries has a static that its first caller makes: see hawser/base/made_once.h."""
import os
import re
import subprocess
import unittest
from pathlib import Path

LIBRARIES = sorted(Path(os.environ["HAWSER_BUILD"]).glob("*.a"))


class Statics(unittest.TestCase):
    def test_none_can_be_half_made_in_a_forked_child(self):
        symbols = subprocess.run(["readelf", "--syms", "--wide", "--demangle", *map(str, LIBRARIES)],
                                 capture_output=True, text=True, check=True).stdout
        guards = re.findall(r"^ *\d+: [0-9a-f]+ +\S+ (\S+) .* guard variable for (.*)$", symbols, re.MULTILINE)
        self.assertIn("TLS", [kind for kind, _ in guards])  # what a thread has alone nobody waits for: there are guards
        ours = {name for kind, name in guards if kind != "TLS" and not name.startswith("CLI::")}
        self.assertEqual(ours, set(), "a static that its first caller makes: a forked child may find it half made")


if __name__ == "__main__":
    unittest.main()
