"""`hawser run`: ends as its command did, and hands on everything that goes in and out."""
import os
import signal
import subprocess
import unittest

from command_line import CommandLine
from hub import PATIENCE, Hub, HubTestCase, eventually, group_members, scaled


class ByTheCommandLine(HubTestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = Hub("--allow-run", "members")
        cls.addClassCleanup(cls.hub.remove)

    def setUp(self):
        name, _ = self.new_user()
        self.cli = CommandLine(self.hub.address, name)
        self.addCleanup(self.cli.remove)
        self.cli.sign_in()

    def test_it_ends_as_the_command_did(self):
        for code in (0, 1, 2, 3, 4, 42, 255):
            self.cli("run", "--", "sh", "-c", f"exit {code}", expect=code)
        self.cli("run", "--", "sh", "-c", "kill -KILL $$", expect=128 + 9)
        self.cli("run", "--shell", "kill -TERM $$", expect=128 + 15)
        for number in (34, 36, 50, 64):  # real-time signals
            self.cli("run", "--", "bash", "-c", f"kill -{number} $$", expect=128 + number)
        self.cli("run", "--timeout", "1", "--", "sleep", "300", expect=124)

    def test_streams_come_out_apart(self):
        done = self.cli("run", "--shell", "echo out; echo err >&2")
        self.assertEqual(("out\n", "err\n"), (done.text, done.words))

    def test_arguments_arrive_as_they_are(self):
        odd = ["a b", "", "*", "$HOME", "'", '"', "ü", "--flag", "-x", "\\n", "new\nline"]
        done = self.cli("run", "--", "printf", "%s\\0", *odd)
        self.assertEqual(odd, done.text.split("\0")[:-1])

    def test_words_without_dashes_arrive_as_they_are(self):
        for odd in ("[x]", "[a,b]", "[]", "++", "{}", "%%"):
            with self.subTest(odd=odd):
                self.assertEqual(f"{odd} c\n", self.cli("run", "echo", odd, "c").text)
                self.assertEqual(f"{odd}\n", self.cli("run", "--shell", f"echo '{odd}'").text)
                self.assertEqual(f"{odd}\n", self.cli("run", "--env", f"V={odd}", "--shell", 'echo "$V"').text)
                self.cli("run", "--env", odd, "true", expect=2)

    def test_standard_input_is_forwarded(self):
        data = os.urandom(2_000_000)
        self.assertEqual(data, self.cli("run", "--", "cat", input=data).out)
        self.assertEqual("0", self.cli("run", "--", "wc", "-c").text.strip())

    def test_a_command_that_does_not_exist(self):
        done = self.cli("run", "--", "no-such-program-at-all", expect=None)
        self.assertIn(done.code, (1, 127))
        self.assertIn("no-such-program-at-all", done.words)

    def test_control_c_goes_to_the_command(self):
        careful = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done"
        process = self.cli.start("run", "--shell", careful, stdin=subprocess.PIPE)
        self.addCleanup(process.kill)
        self.assertEqual(b"ready\n", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual((b"caught\n", 9), (out, process.returncode))

    def test_control_c_ends_a_command_that_does_not_care(self):
        process = self.cli.start("run", "--", "sh", "-c", "echo ready; exec sleep 300", stdin=subprocess.PIPE)
        self.addCleanup(process.kill)
        self.assertEqual(b"ready\n", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(130, process.returncode)

    def test_a_killed_command_line_takes_its_command_with_it(self):
        process = self.cli.start("run", "--shell", "echo $$; sleep 300", stdin=subprocess.PIPE)
        group = int(process.stdout.readline())
        process.kill()
        process.communicate()
        eventually(lambda: not group_members(group), "the group is gone")

    def test_a_reader_that_goes_away_ends_it(self):
        process = self.cli.start("run", "--", "yes")
        process.stdout.read(10)
        process.stdout.close()
        process.stdout = None
        process.communicate(timeout=PATIENCE)
        self.assertNotEqual(0, process.returncode)

    def test_a_closed_input_is_an_empty_one(self):
        self.assertEqual(b"", self.cli("run", "--", "cat", stdin=None, preexec_fn=lambda: os.close(0)).out)

    def test_output_that_has_nowhere_to_go_is_a_failure(self):
        for text in ("hi", "\\ttab", "\\002two", "\\017seventeen"):  # whatever the bytes would mean to ourselves
            done = self.cli("run", "--", "printf", text, stdout=None, preexec_fn=lambda: os.close(1), expect=1)
            self.assertIn("standard output", done.words)
        self.cli("ls", stdout=None, preexec_fn=lambda: os.close(1))  # prints nothing
        self.cli("whoami", stdout=None, preexec_fn=lambda: os.close(1), expect=1)
        self.cli("run", "--", "true", stdout=None, preexec_fn=lambda: os.close(1))

    def test_without_any_standard_stream_it_ends_as_the_command_did(self):
        self.cli("run", "--", "sh", "-c", "cat; exit 7", stdin=None, stdout=None, stderr=None, expect=7,
                 preexec_fn=lambda: os.closerange(0, 3))
        self.cli("run", "--", "sh", "-c", "echo words >&2; exit 7", stderr=None, preexec_fn=lambda: os.close(2), expect=7)

    def test_large_output(self):
        size = scaled(100_000_000, 10_000_000)
        process = self.cli.start("run", "--", "head", "-c", str(size), "/dev/zero")
        total = 0
        while data := process.stdout.read(1 << 20):
            total += len(data)
        process.communicate()
        self.assertEqual((size, 0), (total, process.returncode))


if __name__ == "__main__":
    unittest.main()
