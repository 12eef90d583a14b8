"""A hub for tests: the real program in a temporary folder, started, killed and started again.

HAWSER_BINARY names the program. HAWSER_TEST_SCALE (1.0) makes counts smaller where everything is slower, as under a
sanitizer; never below what a test needs to mean something.
"""
import mmap
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from hawser_client import Connection

BINARY = os.path.abspath(os.environ.get("HAWSER_BINARY") or shutil.which("hawser") or "no hawser on the PATH")
SCALE = float(os.environ.get("HAWSER_TEST_SCALE", "1.0"))
PASSWORD = "correct horse battery"
PATIENCE = 120  # seconds until something that must happen counts as never happening


def scaled(count, least=1):
    return max(least, int(count * SCALE))


def _is_sanitized():
    with open(BINARY, "rb") as program, mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return text.find(b"__asan_init") >= 0 or text.find(b"__tsan_init") >= 0


if not os.path.exists(BINARY):
    raise SystemExit(f"HAWSER_BINARY must name the program to test: {BINARY}")
SANITIZED = _is_sanitized()


def eventually(condition, what):
    """Waits until condition() is true; what says what we were waiting for."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.001
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return result


class Hub:
    """Started at once. Options are those of `hawser up`."""

    binary = BINARY

    def __init__(self, *options, plain=False, members=True, **popen):
        self.folder = Path(tempfile.mkdtemp(prefix="hawser-hub-"))
        self.folder.chmod(0o755)
        self.root = self.folder / "root"
        self.options = [*options, *(["--plain"] if plain else []), *(["--open-registration"] if members else [])]
        self.plain = plain
        self.popen = popen
        self.invite = None
        self.pin = None
        self.complaints = []
        self.process = None
        self.start()

    def start(self):
        output = open(self.folder / "stdout", "w+b")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("HAWSER_")}
        environment |= {"HAWSER_HOME": str(self.folder / "home")} | self.popen.get("env", {})
        command = [self.binary, "up", "--listen", "127.0.0.1:0", "--root", str(self.root), *self.options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE,
            **{**self.popen, "env": environment})
        for line in self.process.stderr:
            self.complaints.append(line)
            if line.startswith(b"ready "):
                break
        else:
            raise AssertionError(f"the hub did not start ({self.process.wait()}): {b''.join(self.complaints).decode()}")
        self.host, port = line.split()[1].decode().rsplit(":", 1)
        self.port = int(port)
        self.address = f"{self.host}:{self.port}"
        threading.Thread(target=self._drain, args=(self.process.stderr,), daemon=True).start()
        output.seek(0)
        self.greeting = output.read().decode()
        output.close()
        if invite := re.search(r"invite\W+([0-9a-f]{16,})", self.greeting):
            self.invite = invite[1]
        if not self.plain:
            self.pin = re.search(r"sha256:[0-9a-f]{64}", self.greeting)[0]

    def _drain(self, stream):
        for line in stream:
            self.complaints.append(line)
            del self.complaints[:-500]
        stream.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        """Asks politely, and expects it to end well."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(PATIENCE)
        assert status == 0, f"the hub ended with {status}: {b''.join(self.complaints).decode(errors='replace')}"

    def remove(self):
        try:
            self.stop()
        finally:
            self.process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, token=None, **options):
        connection = Connection(self.host, self.port, self.pin, **options)
        if token:
            connection.call("resume", token=token)
        return connection

    def new_user(self, name, invite=None):
        """Registers, and returns a token."""
        with self.connect() as connection:
            connection.call("register", user=name, password=PASSWORD, **({"invite": invite} if invite else {}))
            return connection.login(name, PASSWORD)

    def new_admin(self, name="admin"):
        return self.new_user(name, self.invite)

    def home(self, user):
        """Where the user's files lie: found by looking for one."""
        with self.connect() as connection:
            connection.login(user, PASSWORD)
            connection.put(".where-is-home", b"")
            found = next(self.root.rglob(".where-is-home"))
            connection.call("remove", path=".where-is-home")
        return found.parent

    def resident_kib(self, what="VmRSS"):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1])

    def peak_kib(self):
        return self.resident_kib("VmHWM")

    def forget_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


class HubTestCase(unittest.TestCase):
    """One hub for all tests of a class; hub_options are what it is started with."""

    hub_options = {}

    @classmethod
    def setUpClass(cls):
        cls.hub = Hub(**cls.hub_options)
        cls.addClassCleanup(cls.hub.remove)

    def new_user(self):
        """A member of this test's own: name and token."""
        name = re.sub(r"\W", "", self.id().rsplit(".", 1)[1])[-24:] + os.urandom(3).hex()
        name = name.lstrip("_")
        return name, self.hub.new_user(name)

    def connect(self, token=None, **options):
        connection = self.hub.connect(token, **options)
        self.addCleanup(connection.close)
        return connection

    def signed_in(self):
        """A connection of a new member."""
        return self.connect(self.new_user()[1])

    def assert_memory(self, kib, limit_mib):
        """Sanitizers multiply memory: the limit does the same."""
        limit = limit_mib * 1024 * (10 if SANITIZED else 1)
        self.assertLess(kib, limit)

    def assert_refused(self, code, cmd, body=b"", *, on, **keys):
        """The answer is an error with this code (or one of these), and it says why."""
        on.send({"cmd": cmd, **keys}, body)
        answer = on.receive()
        self.assertIs(answer["ok"], False, f"{cmd} {keys} was taken: {dict(answer)}")
        codes = {code} if isinstance(code, str) else set(code)
        self.assertIn(answer["error"]["code"], codes, answer["error"])
        self.assertTrue(answer["error"]["message"])


def raise_descriptor_limit():
    """For a test that needs many sockets of its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # gone before the open, or between it and the read
        return False


def group_members(group):
    """The processes, zombies left out, of a process group."""
    members = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == group and fields[0] not in "ZX":
                members.append(int(entry))
    return members


def kill_hard(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
