"""Runs the example programs, as a learner would, with Python's standard library at the other end."""
import os
import pathlib
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import time
import unittest

PROGRAMS = pathlib.Path(os.environ["HAWSER_BUILD"]) / "examples"
SECONDS = 30  # for anything that an example waits for


def run(name, *arguments, text="", check=True, **options):
    """Runs one to its end and gives what it printed."""
    done = subprocess.run([PROGRAMS / name, *map(str, arguments)], input=text, capture_output=True, encoding="utf-8",
                          timeout=SECONDS, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{name} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Program:
    """One that goes on running. Its output is read as it comes; it is ended when the scope is left."""

    def __init__(self, name, *arguments, **options):
        self.name = name
        self.process = subprocess.Popen([PROGRAMS / name, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.output = b""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def wait_for(self, pattern):
        """Waits until the output has the pattern (a regular expression); gives the match."""
        until = time.monotonic() + SECONDS
        while True:
            found = re.search(pattern.encode(), self.output)
            if found:
                return found
            more = self.read(until)
            if not more:
                raise AssertionError(f"{self.name} did not say {pattern!r}; it said\n{self.output.decode()}")
            self.output += more

    def port(self):
        """Of a server that says "listening on HOST:PORT"."""
        return int(self.wait_for(r"listening on \S+:(\d+)").group(1))

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end_of_input(self):
        self.process.stdin.close()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.end()

    def end(self):
        """Waits for the end; gives the exit code."""
        until = time.monotonic() + SECONDS
        while more := self.read(until):
            self.output += more
        return self.process.wait(SECONDS)

    def read(self, until):
        """What it says next; nothing at its end."""
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise AssertionError(f"{self.name} went on for {SECONDS} s; it said\n{self.output.decode()}")
        return os.read(self.process.stdout.fileno(), 65536)


def small_disk():
    """As preexec_fn: the program's files may have 100,000 bytes, which is a full disk that needs no disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def until(happened):
    """Waits until it is so."""
    end = time.monotonic() + SECONDS
    while not happened():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


def client(port, kind=socket.SOCK_STREAM):
    """A Python socket connected to an example."""
    sock = socket.socket(socket.AF_INET, kind)
    sock.settimeout(SECONDS)
    try:
        sock.connect(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock


def client_of_one_that_starts(port):
    """The same with one that does not say when it listens."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            return client(port)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def server(kind=socket.SOCK_STREAM, port=0):
    """A Python socket for an example to come to."""
    sock = socket.socket(socket.AF_INET, kind)
    sock.settimeout(SECONDS)
    sock.bind(("127.0.0.1", port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock


def send_from_port_0(port, data):
    """A datagram that nobody can answer; skips the test where that takes a right that we have not."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            raw.sendto(struct.pack("!HHHH", 0, port, 8 + len(data), 0) + data, ("127.0.0.1", 0))
    except PermissionError:
        raise unittest.SkipTest("no raw sockets for us")


def send_until_it_is_full(sock):
    """As who writes and never reads: until the other side takes no more, at least not at once."""
    sock.setblocking(False)
    while select.select([], [sock], [], 1)[1]:
        sock.send(bytes(65536))


def few_descriptors():
    """For a program's preexec_fn."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))


def fill_with_clients(test, server):
    """More clients than a server with few descriptors can let in: it serves those that are in, and later the others."""
    port = server.port()
    clients = [client(port) for _ in range(30)]
    server.wait_for("Too many open files")
    for sock in clients:
        sock.sendall(b"x")
    for sock in clients:  # each that leaves makes room for one who waits
        test.assertEqual(receive_exactly(sock, 1), b"x")
        sock.close()
    with client(port) as late:
        late.sendall(b"late")
        test.assertEqual(receive_exactly(late, 4), b"late")


def receive_exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise AssertionError(f"the end came after {len(data)} of {count} bytes")
        data += more
    return data


def receive_all(sock):
    data = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return data
        data += more


class TestCase(unittest.TestCase):
    def assert_fails(self, name, *arguments, says):
        """It ends with 1, and this one line is all that it says of it."""
        done = run(name, *arguments, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, f"{name}: {says}\n"))


main = unittest.main
