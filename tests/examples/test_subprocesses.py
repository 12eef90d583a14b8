"""The examples that run other programs; Python's subprocess is asked what the same commands do."""
import re
import signal
import subprocess

import examples


class Subprocesses(examples.TestCase):
    def test_commands(self):
        output = examples.run("commands").stdout
        listing = subprocess.run(["ls", "-l", "/"], capture_output=True)
        wrote, ended = map(int, re.search(r"ls wrote (\d+) bytes and ended with (\d+)", output).groups())
        self.assertEqual((wrote > 0, ended), (True, listing.returncode))
        self.assertIn("\na file; rm -rf /\n", output)
        self.assertIn("\n你好\n", output)
        self.assertIn("exit 3, and it said: disk full\n", output)
        self.assertIn("execute no-such-program: No such file or directory\n", output)
        killed = subprocess.run(["sh", "-c", "kill -9 $$"])
        self.assertIn(f"a signal is negative: {killed.returncode}\n", output)
        self.assertIn("timed out, after it wrote: started\n", output)
        self.assertIn("sorted:\napple\npear\nplum\n", output)
        self.assertIn(f"42\n{2 ** 100}\nstopped: {-signal.SIGTERM}\n", output)

    def test_pipeline(self):
        output = examples.run("pipeline").stdout
        self.assertEqual(output.splitlines()[:3], ["on and on", "on and on", f"head returned 0, yes {-signal.SIGPIPE}"])
        self.assertRegex(output, r"the most frequent: +3 b\n")

    def test_pty_session(self):
        output = examples.run("pty_session").stdout.replace("\r", "")
        self.assertIn("without one: not a tty\n", output)
        self.assertIn("echo a terminal\na terminal\n", output)
        self.assertIn("stty size\n24 80\n", output)
        self.assertIn("stty size\n50 132\n", output)
        self.assertEqual(output.count("typed twice"), 2)
        self.assertIn("^C", output)
        self.assertIn("the shell returned 130\n", output)


if __name__ == "__main__":
    examples.main()
