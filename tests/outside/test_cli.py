"""The command line as scripts and people use it: names, exit codes, what goes to stdout, what --json gives."""
import hashlib
import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from command_line import CommandLine
from hub import PASSWORD, PATIENCE, Hub, HubTestCase
from relay import Relay

MIB = 1 << 20


class CliTestCase(HubTestCase):
    """A signed-in member: self.cli, with files in self.here."""

    signed_in_first = True

    def setUp(self):
        self.name, self.token = self.new_user()
        self.cli = CommandLine(self.hub.address, self.name, plain=self.hub.plain)
        self.addCleanup(self.cli.remove)
        self.here = self.cli.here
        if self.signed_in_first:
            self.cli.sign_in()

    def remote(self):
        return self.connect(self.token)

    def names(self, *arguments):
        return sorted(entry["name"] for entry in self.cli.json("ls", *arguments)["entries"])


class Accounts(CliTestCase):
    signed_in_first = False

    def test_the_first_minutes_with_a_hub(self):
        hub = Hub(members=False)
        self.addCleanup(hub.remove)
        cli = CommandLine(hub.address, "chief")
        self.addCleanup(cli.remove)
        word = {"HAWSER_PASSWORD": PASSWORD}
        cli("register", env=word, expect=1)
        cli("register", "--invite", hub.invite, env=word)
        cli("login", env=word)
        self.assertEqual("chief", cli.json("whoami")["user"])
        self.assertIn("admin", cli.json("whoami")["roles"])
        invite = cli.json("invite")["invite"]
        self.assertRegex(cli("invite", "--role", "admin").text, "[0-9a-f]{32}")
        other = CommandLine(hub.address, "helper")
        self.addCleanup(other.remove)
        other("register", "--invite", invite, env=word)
        other("login", env=word)
        self.assertNotIn("admin", other.json("whoami")["roles"])
        other("invite", expect=1)

    def test_login_logout_whoami(self):
        word = {"HAWSER_PASSWORD": PASSWORD}
        self.cli("whoami", expect=4)
        self.cli("login", env={"HAWSER_PASSWORD": "wrong password"}, expect=4)
        self.cli("login", env=word)
        self.assertIn(self.name, self.cli("whoami").text)
        self.assertEqual(self.name, self.cli.json("whoami")["user"])
        self.cli("logout")
        self.cli("whoami", expect=4)
        self.cli("ls", expect=4)

    def test_the_password_may_come_on_standard_input(self):
        self.cli("login", input=PASSWORD + "\n")
        self.cli("whoami")

    def test_a_new_password(self):
        self.cli.sign_in()
        self.cli("passwd", input=f"{PASSWORD}\nbrand new word\n")
        self.cli("whoami")
        self.cli("login", env={"HAWSER_PASSWORD": PASSWORD}, expect=4)
        self.cli("login", env={"HAWSER_PASSWORD": "brand new word"})

    def test_no_password_is_kept_or_told(self):
        done = self.cli("login", "-v", env={"HAWSER_PASSWORD": PASSWORD})
        self.assertNotIn(PASSWORD, done.text + done.words)
        for file in self.cli.folder.rglob("*"):
            if file.is_file():
                self.assertNotIn(PASSWORD.encode(), file.read_bytes())
                self.assertEqual(0, file.stat().st_mode & 0o077, f"{file} is for its owner alone")

    def test_a_token_in_the_environment_or_as_an_option(self):
        self.assertEqual(self.name, self.cli.json("whoami", env={"HAWSER_TOKEN": self.token})["user"])
        self.assertEqual(self.name, self.cli.json("whoami", "--token", self.token)["user"])
        self.cli("whoami", env={"HAWSER_TOKEN": "0" * 64}, expect=4)


class Trust(CliTestCase):
    def test_the_certificate_is_pinned_at_first_use(self):
        other = Hub()
        self.addCleanup(other.remove)
        hubs = [self.hub]
        relay = Relay(lambda: (hubs[0].host, hubs[0].port))
        self.addCleanup(relay.close)
        cli = CommandLine(relay.address, self.name)
        self.addCleanup(cli.remove)
        cli.sign_in()
        hubs[0] = other
        done = cli("whoami", expect=3)
        self.assertIn(other.pin, done.words)
        hubs[0] = self.hub
        cli("whoami")

    def test_a_pin_may_be_given(self):
        self.cli("whoami", "--pin", self.hub.pin)
        self.cli("whoami", "--pin", "sha256:" + "0" * 64, expect=3)
        self.cli("whoami", "--pin", "nonsense", expect=2)

    def test_a_ca_may_be_given(self):
        with tempfile.TemporaryDirectory() as folder:
            stranger = Path(folder) / "ca.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", "/dev/null", "-out", stranger, "-days", "1", "-subj", "/CN=somebody else"],
                           check=True, capture_output=True)
            self.cli("whoami", "--ca", stranger, expect=3)
            self.assertIn("none.pem", self.cli("whoami", "--ca", Path(folder) / "none.pem", expect=None).words)

    def test_nobody_there_is_3(self):
        self.cli("ls", env={"HAWSER_HUB": "127.0.0.1:1"}, expect=3)
        self.cli("ls", "--hub", "127.0.0.1:1", expect=3)
        self.cli("ls", "--plain", expect=3)  # a TLS port


class Usage(CliTestCase):
    signed_in_first = False

    def test_wrong_usage_is_2_and_says_so(self):
        for arguments in (["no-such-command"], ["ls", "--no-such-option"], ["put"], ["get"], ["mv", "one"], ["mkdir"],
                          ["rm"], ["run"], ["sum", "--hash", "crc32", "x"], ["ls", "--hub", "a:b:c:d"],
                          ["ls", "--hub", "h:99999"], ["up", "--allow-run", "everybody"],
                          ["up", "--listen", "nonsense:port"], ["run", "--timeout", "soon", "--", "true"], []):
            with self.subTest(arguments=arguments):
                done = self.cli(*arguments, expect=2)
                self.assertTrue(done.words or done.text)

    def test_a_plain_hub_stays_on_loopback(self):
        with tempfile.TemporaryDirectory() as folder:
            self.cli("up", "--plain", "--listen", "0.0.0.0:0", "--root", folder, expect=2)

    def test_help_and_version(self):
        everything = self.cli("--help").text
        for command in ("up", "invite", "register", "login", "logout", "whoami", "passwd", "ls", "stat", "mkdir", "rm",
                        "mv", "sum", "du", "put", "get", "run"):
            self.assertRegex(everything, rf"(?m)^\s*{command}\b")
            self.cli(command, "--help")
        self.assertRegex(self.cli("--version").text, r"\d+\.\d+\.\d+")

    def test_a_typing_error_gets_a_suggestion(self):
        self.assertIn("register", self.cli("regster", expect=2).words)

    def test_no_hub_named_anywhere(self):
        self.cli("ls", env={"HAWSER_HUB": None}, expect=None)

    def test_completions_load(self):
        script = self.cli("completion", "bash").out
        with tempfile.NamedTemporaryFile(suffix=".bash") as file:
            file.write(script)
            file.flush()
            found = subprocess.run(
                ["bash", "--norc", "-c", f"""
                    source {file.name} || exit 9
                    f=$(complete -p hawser | sed 's/.*-F \\([^ ]*\\).*/\\1/')
                    COMP_WORDS=(hawser who) COMP_CWORD=1 COMP_LINE='hawser who' COMP_POINT=10
                    $f hawser who hawser; echo "${{COMPREPLY[@]}}" """],
                capture_output=True, text=True, env=self.cli.environment | {"PATH": os.environ["PATH"]})
        self.assertEqual((0, ""), (found.returncode, found.stderr))
        self.assertIn("whoami", found.stdout)
        self.assertIn("compdef", self.cli("completion", "zsh").text)


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
        terminal.expect(b"assword", 2)
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


class UpAndDown(unittest.TestCase):
    def test_two_hubs_in_one_place_is_one_too_many(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        cli = CommandLine(hub.address)
        self.addCleanup(cli.remove)
        done = cli("up", "--listen", "127.0.0.1:0", "--root", hub.root, expect=1)
        self.assertTrue(done.words)

    def test_a_port_that_is_taken_is_named(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        cli = CommandLine(hub.address)
        self.addCleanup(cli.remove)
        done = cli("up", "--listen", hub.address, "--root", cli.folder / "other", expect=1)
        self.assertIn(str(hub.port), done.words)

    def test_the_fingerprint_and_the_files_stay(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        token, pin = hub.new_user("anna"), hub.pin
        with hub.connect(token) as connection:
            connection.put("a", b"x")
        hub.stop()
        hub.start()
        self.assertEqual(pin, hub.pin)
        with hub.connect(token) as connection:
            self.assertEqual(b"x", connection.get("a"))

    def test_a_stopping_hub_lets_a_command_end_and_a_second_signal_cuts(self):
        hub = Hub("--allow-run", "admins")
        self.addCleanup(hub.remove)
        token = hub.new_admin()
        with hub.connect(token) as connection:
            connection.call("run", shell="echo ready; sleep 0.5; echo done")
            connection.receive()
            hub.process.terminate()
            self.assertEqual(b"done\n", connection.receive().body)
            self.assertEqual(0, connection.receive()["exit"])
        self.assertEqual(0, hub.process.wait(PATIENCE))
        hub.start()
        with hub.connect(token) as connection:
            connection.call("run", shell="echo ready; exec sleep 300")
            connection.receive()
            hub.process.terminate()
            time.sleep(0.1)  # two signals at once may arrive as one
            while hub.process.poll() is None:
                hub.process.terminate()
                time.sleep(0.05)

    def test_options_may_come_from_a_file(self):
        cli = CommandLine("127.0.0.1:1")
        self.addCleanup(cli.remove)
        (cli.here / "hub.toml").write_text('[hub]\nplain = true\nopen-registration = true\n')
        hub = Hub("--config", str(cli.here / "hub.toml"), members=False, plain=True)
        self.addCleanup(hub.remove)
        hub.new_user("anna")
        (cli.here / "bad.toml").write_text("[hub]\nplane = true\n")
        done = cli("up", "--config", "bad.toml", "--root", cli.folder / "r", expect=2)
        self.assertIn("plane", done.words)


if __name__ == "__main__":
    unittest.main()
