"""The command line as scripts and people use it: accounts, trust, usage, the hub's own options."""
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from command_line import CliTestCase, CommandLine
from hub import PASSWORD, PATIENCE, Hub, eventually
from relay import Relay


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

    def test_a_time_limit_that_is_none_is_refused_in_few_words(self):
        for word in ("nan", "-nan", "inf", "0", "-1", "1e400", "1e-400", "", "soon", "5s", "1 2"):
            for arguments in (["run", "--timeout", word, "--", "true"], ["up", "--max-connections", word]):
                with self.subTest(arguments=arguments):
                    words = self.cli(*arguments, expect=2).words
                    self.assertIn(f"{arguments[1]}: takes a number above 0, not '{word}'", words)
                    self.assertLess(len(words), 200)
        for word in ("60", "0.5", "1e3"):
            self.cli("run", "--timeout", word, "--", "true", expect=4)  # nobody is signed in

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


class UpAndDown(unittest.TestCase):
    def test_two_hubs_in_one_place_is_one_too_many(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        cli = CommandLine(hub.address)
        self.addCleanup(cli.remove)
        done = cli("up", "--listen", "127.0.0.1:0", "--root", hub.root, expect=1)
        self.assertTrue(done.words)

    def test_a_hub_without_standard_streams_opens_nothing_in_their_place(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        address = hub.address
        hub.stop()
        cli = CommandLine(address)
        self.addCleanup(cli.remove)
        process = cli.start("up", "--listen", address, "--root", hub.root, stdin=None, stdout=None, stderr=None,
                            preexec_fn=lambda: os.closerange(0, 3))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        eventually(lambda: cli("login", "nobody", input="word", expect=None).code == 4, "the hub answers")
        self.assertEqual(["/dev/null"] * 3, [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)])
        process.terminate()
        process.wait(PATIENCE)

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
