"""Fibers in gdb: the running one needs no help, scripts/gdb_fibers.py shows the parked ones."""
import os
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))
PROGRAM = Path(os.environ["HAWSER_BUILD"]) / "tests" / "parked_fibers"


def gdb(*commands: str, program: tuple[str, ...] = (str(PROGRAM),)) -> str:
    arguments = ["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"]
    for command in commands:
        arguments += ["-ex", command]
    done = subprocess.run([*arguments, "--args", *program] if program else arguments, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def in_order(text: str, *words: str) -> bool:
    at = 0
    for word in words:
        at = text.find(word, at)
        if at < 0:
            return False
    return True


STOP = ("break stop_here", "run")
SCRIPT = f"source {SOURCE / 'scripts' / 'gdb_fibers.py'}"


class Gdb(unittest.TestCase):
    def test_the_running_fiber_needs_no_help(self):
        said = gdb(*STOP, "bt")
        self.assertTrue(in_order(said, "#0", "stop_here", "cook_a_meal", "TaskState::execute", "hawser_start_stack"), said)
        self.assertNotIn("orrupt", said)
        self.assertNotIn("Cannot access", said)
        outermost = [line for line in said.splitlines() if line.startswith("#")][-1]
        self.assertIn(" in hawser_start_stack", outermost, said)

    def test_the_script_lists_fibers_and_shows_their_stacks(self):
        said = gdb(*STOP, SCRIPT, "fibers", "echo --\\n", "fiber 1 bt", "fiber 2 bt", "fiber 3 bt", "echo --\\n", "bt")
        listed, stacks, after = said.split("--\n")
        self.assertIn("loop 0  'main' running", listed)
        self.assertIn("loop 0  'first guest' parked in bell", listed)
        self.assertIn("loop 0  'second guest' parked in bell", listed)
        self.assertEqual(stacks.count("wait_for_the_bell"), 2, said)
        self.assertEqual(stacks.count("serve_a_guest"), 2, said)
        self.assertEqual(stacks.count("hawser_start_stack"), 2, said)
        self.assertEqual(stacks.count("it is running"), 1, said)
        self.assertTrue(in_order(after, "stop_here", "cook_a_meal"), said)

    def test_the_script_says_what_is_wrong(self):
        said = gdb(*STOP, SCRIPT, "fiber 9 bt")
        self.assertIn("there are 3 fibers", said)
        said = gdb(SCRIPT, "fibers", program=("/bin/true",))
        self.assertIn("no hawser in this program", said)


if __name__ == "__main__":
    unittest.main()
