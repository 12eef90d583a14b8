"""The command line for tests: `hawser CMD …` as a person or a script would type it, in a folder of its own."""
import fcntl
import json
import os
import pty
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

from hub import BINARY, PASSWORD, PATIENCE, HubTestCase


class CommandLine:
    """One person's: its own HAWSER_HOME, and a working directory `here`."""

    def __init__(self, address, user=None, *, plain=False):
        self.folder = Path(tempfile.mkdtemp(prefix="hawser-cli-"))
        self.here = self.folder / "here"
        self.here.mkdir()
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("HAWSER_")}
        self.environment |= {"HAWSER_HOME": str(self.folder / "home"), "HAWSER_HUB": address, "LC_ALL": "C.UTF-8"}
        if user:
            self.environment["HAWSER_USER"] = user
        self.always = ["--plain"] if plain else []

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *arguments, env=None, **popen):
        environment = {key: value for key, value in (self.environment | (env or {})).items() if value is not None}
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.here}
        command, rest = [str(argument) for argument in arguments[:1]], [str(argument) for argument in arguments[1:]]
        return subprocess.Popen([BINARY, *command, *self.always, *rest], env=environment, **{**options, **popen})

    def __call__(self, *arguments, input=None, expect=0, **options):
        """Runs to the end; text out. expect is the exit code that it must have, or None."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        with self.start(*arguments, **options) as process:
            try:
                out, err = process.communicate(input.encode() if isinstance(input, str) else input, timeout=PATIENCE)
            except BaseException:
                process.kill()
                raise
        done = Done(arguments, process.returncode, out or b"", err or b"")
        if expect is not None and done.code != expect:
            raise AssertionError(f"{arguments} ended with {done.code}, not {expect}: {done.text}{done.words}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self(*arguments, "--json", **options).out)

    def on_terminal(self, *arguments, env=None):
        environment = {key: value for key, value in (self.environment | (env or {})).items() if value is not None}
        command = [BINARY, *arguments[:1], *self.always, *arguments[1:]]
        return Terminal([str(part) for part in command], environment | {"TERM": "xterm-256color"}, self.here)

    def sign_in(self, register=False):
        self("register" if register else "login", env={"HAWSER_PASSWORD": PASSWORD})
        return self


class Done:
    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def words(self):
        return self.err.decode()


class Terminal:
    """A command at a terminal of its own, 100 columns wide."""

    def __init__(self, command, environment, folder):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(folder)
                os.execve(command[0], command, environment)
            finally:
                os._exit(127)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.deadline = time.monotonic() + PATIENCE

    def read(self):
        """More of what the terminal shows; False at the end."""
        ready, _, _ = select.select([self.fd], [], [], max(0, self.deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"it waits, having shown {self.seen!r}")
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            return False
        self.seen += data
        return bool(data)

    def expect(self, text):
        while text not in self.seen.lower():
            if not self.read():
                raise AssertionError(f"it ended without {text!r}, having shown {self.seen!r}")

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        """Reads all that is left; the exit code."""
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


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
