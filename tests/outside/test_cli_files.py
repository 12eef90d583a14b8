"""Files and trees by the command line: what goes to stdout, what --json gives, what a terminal shows."""
import hashlib
import json
import os
import socket
import struct
import subprocess
import threading
import unittest

from command_line import CliTestCase, CommandLine
from hub import BINARY, PASSWORD, Hub

MIB = 1 << 20


class Files(CliTestCase):
    def test_the_life_of_a_file(self):
        (self.here / "a.txt").write_text("hello")
        self.cli("put", "a.txt")
        self.cli("mkdir", "docs")
        self.cli("mv", "a.txt", "docs/b.txt")
        self.assertEqual(["docs"], self.names())
        self.assertEqual(["b.txt"], self.names("docs"))
        told = self.cli.json("stat", "docs/b.txt")
        self.assertIn("file", json.dumps(told))
        self.assertIn(hashlib.sha256(b"hello").hexdigest(), self.cli("sum", "--hash", "sha256", "docs/b.txt").text)
        self.cli("get", "docs/b.txt")
        self.assertEqual("hello", (self.here / "b.txt").read_text())
        self.cli("get", "docs/b.txt", "copy.txt")
        self.assertEqual("hello", (self.here / "copy.txt").read_text())
        self.cli("rm", "docs", expect=1)
        self.cli("rm", "-r", "docs")
        self.assertEqual([], self.names())

    def test_several_at_once_and_into_a_directory(self):
        for name in ("one", "two", "three"):
            (self.here / name).write_text(name)
        self.cli("mkdir", "in")
        self.cli("put", "one", "two", "three", "in")
        self.assertEqual(["one", "three", "two"], self.names("in"))
        (self.here / "out").mkdir()
        self.cli("get", "in/one", "in/two", "out")
        self.assertEqual(["one", "two"], sorted(os.listdir(self.here / "out")))

    def test_what_is_missing_is_named(self):
        for arguments in (["get", "none.txt"], ["stat", "none.txt"], ["sum", "none.txt"], ["rm", "none.txt"],
                          ["mv", "none.txt", "b"], ["ls", "none.txt"], ["put", "none.txt"]):
            with self.subTest(arguments=arguments):
                self.assertIn("none.txt", self.cli(*arguments, expect=1).words)
        self.assertEqual([], os.listdir(self.here))

    def test_one_that_fails_does_not_stop_the_others(self):
        (self.here / "good").write_text("x")
        done = self.cli("put", "none", "good", ".", expect=1)
        self.assertIn("none", done.words)
        self.assertEqual(["good"], self.names())

    def test_names_are_taken_as_they_are_typed(self):
        odd = ["[x]", "[a,b]", "[]", "++", "{}", "%%"]
        for name in ("x", "a", "b", "y"):
            (self.here / name).write_text("another")
            self.cli("put", name)
        for name in odd:
            with self.subTest(name=name):
                (self.here / name).write_text(name)
                self.cli("put", name)
                self.cli("stat", name)
                self.cli("sum", name)
                self.assertEqual([name], self.names(name))
                (self.here / name).unlink()
                self.cli("get", name)
                self.cli("get", "y", f"{name}2")
                self.assertEqual(name, (self.here / name).read_text())
                self.assertEqual("another", (self.here / f"{name}2").read_text())
                self.cli("rm", name)
                self.cli("ls", name, expect=1)
                self.cli("mkdir", name)
                self.cli("put", "y", name)
                self.assertEqual(["y"], self.names(name))
                self.cli("mv", name, "z")
                self.cli("mv", "z", name)
                self.cli("rm", "-r", name)
                self.assertEqual(["a", "b", "x", "y"], self.names())

    def completed(self, *words):
        """What bash offers for the last word, as it would stand on the line."""
        script = self.cli("completion", "bash").text
        found = subprocess.run(
            ["bash", "--norc", "-c", f"""{script}
                COMP_WORDS=(hawser "$@") COMP_CWORD=$#
                _hawser {BINARY}
                printf '%s\\n' "${{COMPREPLY[@]}}" """, "bash", *words],
            capture_output=True, text=True, cwd=self.here, env=self.cli.environment)
        self.assertEqual("", found.stderr)
        return sorted(found.stdout.splitlines())

    def test_completion_offers_names_as_they_are(self):
        names = ["*", "[ab]", "?", "two words", "a"]
        for name in names:
            (self.here / name).write_text(name)
        self.assertEqual(sorted(names), self.completed("put", ""))
        self.cli("put", "*", "[ab]", "?", "two words", ".")
        self.cli("mkdir", "folder")
        self.assertEqual([r"\*", r"\?", r"\[ab\]", "folder/", r"two\ words"], self.completed("rm", ""))
        self.assertEqual([r"two\ words"], self.completed("rm", r"two\ w"))
        self.assertEqual([r"\[ab\]"], self.completed("rm", "["))

    def test_escapes_are_refused(self):
        for path in ("..", "../x", "/etc/passwd", "a/../../b"):
            self.cli("get", path, expect=1)
            self.cli("rm", path, expect=1)
        self.assertEqual([], os.listdir(self.here))

    def test_a_directory_wants_r(self):
        (self.here / "dir").mkdir()
        self.cli("put", "dir", expect=1)
        self.cli("mkdir", "far")
        self.cli("get", "far", expect=1)

    def test_parents_are_made_when_asked(self):
        self.cli("mkdir", "a/b/c", expect=1)
        self.cli("mkdir", "-p", "a/b/c")
        self.assertEqual(["b"], self.names("a"))

    def test_each_hash(self):
        data = os.urandom(300_000)
        (self.here / "a").write_bytes(data)
        for word in ("md5", "sha256", "xxh3-128"):
            self.cli("put", "--hash", word, "a", f"by-{word}")
            self.cli("get", "--hash", word, f"by-{word}")
            self.assertEqual(data, (self.here / f"by-{word}").read_bytes())
        self.assertIn(hashlib.md5(data).hexdigest(), self.cli("sum", "--hash", "md5", "by-md5").text)

    def test_sizes_at_the_edges(self):
        for size in (0, 1, 65535, 65536, 65537, MIB, MIB + 1, 9 * MIB):
            data = os.urandom(size)
            (self.here / "a").write_bytes(data)
            self.cli("put", "a")
            (self.here / "a").unlink()
            self.cli("get", "a")
            self.assertEqual(data, (self.here / "a").read_bytes())

    def test_du_counts(self):
        (self.here / "a").write_bytes(bytes(1000))
        (self.here / "b").write_bytes(bytes(234))
        self.cli("put", "a", "b", ".")
        self.assertIn("1234", json.dumps(self.cli.json("du", ".")))
        self.assertTrue(self.cli("du").text)

    def test_mode_and_time_travel(self):
        file = self.here / "script"
        file.write_text("#!/bin/sh\n")
        file.chmod(0o750)
        os.utime(file, (1_000_000_000, 1_000_000_000))
        self.cli("put", "script")
        file.unlink()
        self.cli("get", "script")
        status = file.stat()
        self.assertEqual((0o750, 1_000_000_000), (status.st_mode & 0o777, int(status.st_mtime)))

    def test_words_go_to_stderr_and_results_to_stdout(self):
        (self.here / "a").write_bytes(bytes(100_000))
        for arguments in (["put", "a"], ["get", "a", "b"]):
            done = self.cli(*arguments)
            self.assertNotIn(b"\r", done.err, "no progress where nobody looks")
            self.assertNotIn(b"\x1b", done.out + done.err)
        quiet = self.cli("put", "-q", "a")
        self.assertEqual((b"", b""), (quiet.out, quiet.err))
        self.assertEqual("a", self.cli("ls").text.split()[-1])

    def test_json_everywhere(self):
        (self.here / "a").write_bytes(b"12345")
        for arguments in (["put", "a"], ["ls"], ["stat", "a"], ["sum", "a"], ["du"], ["mkdir", "d"], ["mv", "a", "b"],
                          ["get", "b"], ["rm", "b"], ["whoami"], ["rm", "missing"], ["logout"], ["ls"]):
            with self.subTest(arguments=arguments):
                done = self.cli(*arguments, "--json", expect=None)
                told = [json.loads(line) for line in done.text.splitlines()]
                self.assertTrue(told)
                if done.code:
                    self.assertIn("error", told[-1])
                    self.assertTrue(told[-1]["error"]["code"])

    def test_names_are_any_unicode(self):
        for name in ("sp ace", "日本語", "ü", "🚀", "'quoted'", "-dash", "$HOME", "a\\b"):
            (self.here / name).write_text(name)
            self.cli("put", "--", name)
            self.assertIn(name, self.names())
            (self.here / name).unlink()
            self.cli("get", "--", name)
            self.assertEqual(name, (self.here / name).read_text())

    def test_names_cannot_paint_the_terminal(self):
        with self.remote() as connection:
            connection.put("right\u202eleft", b"")
        terminal = self.cli.on_terminal("ls")
        self.assertEqual(0, terminal.wait())
        self.assertNotIn("\u202e".encode(), terminal.seen)


class Trees(CliTestCase):
    def make_tree(self, top):
        for folder in ("empty", "sp ace/deep er", "日本語", "many"):
            (top / folder).mkdir(parents=True)
        files = {"a": b"", "sp ace/b b": b"b", "sp ace/deep er/c": os.urandom(200_000), "日本語/ファイル": "日本".encode(),
                 "run.sh": b"#!/bin/sh\n"} | {f"many/{number}": str(number).encode() * number for number in range(120)}
        for number, (name, data) in enumerate(files.items()):
            (top / name).write_bytes(data)
            os.utime(top / name, (1_500_000_000 + number, 1_500_000_000 + number))
        (top / "run.sh").chmod(0o755)
        (top / "a").chmod(0o600)
        return top

    def picture(self, top):
        """What a tree is: names, kinds, contents, modes and times of its files."""
        return {str(path.relative_to(top)): (path.read_bytes(), path.stat().st_mode & 0o777, int(path.stat().st_mtime))
                if path.is_file() else "dir" for path in sorted(top.rglob("*"))}

    def test_there_and_back(self):
        tree = self.make_tree(self.here / "tree")
        self.cli("put", "-r", "tree")
        self.assertEqual(["tree"], self.names())
        self.cli("get", "-r", "tree", "back")
        self.assertEqual(self.picture(tree), self.picture(self.here / "back"))

    def test_over_a_plain_connection_with_several_streams(self):
        hub = Hub(plain=True)
        self.addCleanup(hub.remove)
        cli = CommandLine(hub.address, "anna", plain=True)
        self.addCleanup(cli.remove)
        cli.sign_in(register=True)
        tree = self.make_tree(cli.here / "tree")
        cli("put", "-r", "-j", "4", "tree")
        cli("get", "-r", "-j", "4", "tree", "back")
        self.assertEqual(self.picture(tree), self.picture(cli.here / "back"))

    def test_again_is_the_same_and_a_change_is_taken(self):
        tree = self.make_tree(self.here / "tree")
        self.cli("put", "-r", "tree")
        (tree / "sp ace/b b").write_bytes(b"changed")
        self.cli("put", "-r", "tree")
        self.cli("get", "-r", "tree", "back")
        self.assertEqual(self.picture(tree), self.picture(self.here / "back"))

    def test_links_are_never_written_through(self):
        """A tree that comes from a hub must not lead a client to other places."""
        home = self.hub.home(self.name)
        (home / "tree").mkdir()
        (home / "tree/link").symlink_to("/etc")
        (home / "tree/file").write_text("x")
        self.cli("get", "-r", "tree", expect=None)
        self.assertEqual("x", (self.here / "tree/file").read_text())
        self.assertFalse((self.here / "tree/link").is_dir())


class EndlessHub:
    """Says yes to everything; its folders are full of folders, and their listings have no end, or so many frames."""

    def __init__(self, frames=None):
        self.frames = frames
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.serve, args=[self.listener.accept()[0]], daemon=True).start()
        except OSError:
            pass

    def serve(self, client):
        entry = {"name": "n", "type": "dir"}
        listing = {"entries": [entry] * 2000}
        with client, client.makefile("rb") as stream:
            try:
                while size := stream.read(4):
                    request = json.loads(stream.read(*struct.unpack("<i", size)))
                    answer = {"id": request["id"], "ok": True, "version": 1, "user": "anna", "entry": entry}
                    if request["cmd"] == "list":
                        answer |= listing
                        frame = self.frame(answer | {"more": True})
                        sent = 1
                        while self.frames is None or sent < self.frames:
                            client.sendall(frame)
                            sent += 1
                    client.sendall(self.frame(answer))
            except OSError:
                pass

    @staticmethod
    def frame(header):
        text = json.dumps(header).encode()
        return struct.pack("<i", len(text)) + text


class Endless(unittest.TestCase):
    def assert_given_up(self, hub, *arguments):
        self.addCleanup(hub.listener.close)
        cli = CommandLine(hub.address, plain=True)
        self.addCleanup(cli.remove)
        (cli.here / "tree").mkdir()
        done = cli(*arguments, env={"HAWSER_TOKEN": "token"}, expect=1)
        self.assertRegex(done.words, "the hub lists more than .* entries")

    def test_a_listing_without_an_end_is_given_up(self):
        for arguments in (["ls"], ["ls", "-R", "a", "b"], ["rm", "*", "b"], ["get", "-r", "a", "b"],
                          ["put", "-r", "tree", "b"]):
            with self.subTest(arguments=arguments):
                self.assert_given_up(EndlessHub(), *arguments)

    def test_folders_in_folders_without_an_end_are_given_up(self):
        self.assert_given_up(EndlessHub(frames=100), "ls", "*/*/*/*")


class AtATerminal(CliTestCase):
    signed_in_first = False

    def test_the_password_is_asked_for_without_echo(self):
        terminal = self.cli.on_terminal("login")
        terminal.expect(b"assword")
        self.assertFalse(terminal.echoes())
        terminal.type(PASSWORD + "\n")
        self.assertEqual(0, terminal.wait(), terminal.seen)
        self.assertNotIn(PASSWORD.encode(), terminal.seen)
        self.cli("whoami")

    def test_a_new_account_is_asked_twice(self):
        terminal = self.cli.on_terminal("register", env={"HAWSER_USER": self.name + "2"})
        terminal.expect(b"assword")
        terminal.type(PASSWORD + "\n")
        terminal.expect(b"once more")
        self.assertFalse(terminal.echoes())
        terminal.type("something else\n")
        self.assertNotEqual(0, terminal.wait())
        self.cli("login", env={"HAWSER_USER": self.name + "2", "HAWSER_PASSWORD": PASSWORD}, expect=4)

    def test_control_c_at_the_prompt_gives_the_echo_back(self):
        terminal = self.cli.on_terminal("login")
        terminal.expect(b"assword")
        terminal.type("\x03")
        self.assertNotEqual(0, terminal.wait())

    def test_progress_is_shown(self):
        self.cli.sign_in()
        (self.here / "big").write_bytes(bytes(64 * MIB))
        terminal = self.cli.on_terminal("put", "big")
        self.assertEqual(0, terminal.wait(), terminal.seen)
        self.assertIn(b"\r", terminal.seen)
        self.assertRegex(terminal.seen, rb"\d+\s*%")
        self.assertRegex(terminal.seen, rb"[kMG]B/s")
        quiet = self.cli.on_terminal("put", "-q", "big", "again")
        self.assertEqual(0, quiet.wait())
        self.assertEqual(b"", quiet.seen)


if __name__ == "__main__":
    unittest.main()
