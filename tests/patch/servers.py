"""PostgreSQL, Redis and an HTTP server of one's own, in a temporary folder, for programs that use their C libraries.

As a program: starts all three, says in the environment where they are, runs what is given and ends them.

  servers.py PROGRAM ARGUMENTS…
"""
import contextlib
import glob
import http.server
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

SECONDS = 60  # to start


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def end(process, number=signal.SIGTERM):
    process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_words(path):
    with open(path, errors="replace") as log:
        return log.read()[-2000:]


class Folder:
    """A temporary folder; of a server's own user, where that is not us."""

    def __init__(self, user=None):
        self.path = tempfile.mkdtemp(prefix="hawser-", dir="/tmp")  # a UNIX socket's path must be short
        if user:
            shutil.chown(self.path, user)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Postgres:
    """Trusts everybody on 127.0.0.1 and on a UNIX socket in its folder; TLS with a certificate of its own."""

    def __init__(self):
        # It refuses to be root's.
        self.user = next((name for name in ("postgres", "nobody") if self._exists(name)), None) if os.getuid() == 0 else None
        self.programs = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]), default=None)
        if not self.programs:
            raise FileNotFoundError("PostgreSQL is not installed")
        self.folder = Folder(self.user)
        self.path = self.folder.path
        self.port = free_port()
        try:
            self._start()
        except BaseException:
            self.folder.remove()
            raise

    @staticmethod
    def _exists(name):
        try:
            return bool(pwd.getpwnam(name))
        except KeyError:
            return False

    def _as_user(self, *command):
        if not self.user:
            return list(command)
        entry = pwd.getpwnam(self.user)
        return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", *command]

    def _run(self, *command):
        subprocess.run(self._as_user(*command), check=True, cwd=self.path, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, text=True)

    def _start(self):
        data = f"{self.path}/data"
        self._run(f"{self.programs}/initdb", "-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        self._run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                  "-subj", "/CN=localhost", "-days", "2", "-keyout", f"{data}/server.key", "-out", f"{data}/server.crt")
        os.chmod(f"{data}/server.key", 0o600)
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.path, "ssl": "on",
            "fsync": "off", "max_connections": 250, "shared_buffers": "16MB", "autovacuum": "off",
            # A backend looks whether its client is still there while it sleeps.
            "client_connection_check_interval": "50ms",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.log = f"{self.path}/log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self._as_user(f"{self.programs}/postgres", "-D", data, *options),
                                            cwd=self.path, stdout=log, stderr=log)
        give_up = time.monotonic() + SECONDS
        ready = [f"{self.programs}/pg_isready", "-q", "-h", self.path, "-p", str(self.port)]
        while subprocess.run(ready).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("PostgreSQL does not start: " + last_words(self.log))
            time.sleep(0.02)

    @property
    def environment(self):
        """What libpq looks at when nothing else is said."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "tester", "PGDATABASE": "postgres",
                "PGSSLMODE": "disable", "PGCONNECT_TIMEOUT": "30",
                "PGOPTIONS": "-c statement_timeout=45s",
                # Not those of the home, which may not be ours to read.
                "PGSSLCERT": "/nonexistent", "PGSSLROOTCERT": "/nonexistent", "PGPASSFILE": "/nonexistent", "HAWSER_POSTGRES_FOLDER": self.path}

    def close(self):
        end(self.process, signal.SIGINT)  # at once, whoever is connected
        self.folder.remove()


class Redis:
    def __init__(self):
        self.folder = Folder()
        self.path = f"{self.folder.path}/redis"
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.path, "--save", "",
             "--appendonly", "no", "--dir", self.folder.path], stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as probe:
                probe.sendall(b"PING\r\n")
                if probe.recv(100).startswith(b"+PONG"):
                    return
            if self.process.poll() is not None or time.monotonic() > give_up:
                self.folder.remove()
                raise RuntimeError("Redis does not start")
            time.sleep(0.02)

    @property
    def environment(self):
        return {"REDIS_PORT": str(self.port), "REDIS_SOCKET": self.path}

    def close(self):
        end(self.process)
        self.folder.remove()


class Http:
    """/text/N: N bytes; /meet/N: answers once N such requests are there; /to/PATH: redirects to /PATH; /never: reads on
    until the client leaves."""

    def __init__(self):
        meeting = threading.Condition()
        met = [0]

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                what, _, rest = urllib.parse.urlsplit(self.path).path[1:].partition("/")
                if what == "to":
                    self.answer(302, b"", Location="/" + rest)
                elif what == "text":
                    self.answer(200, b"x" * int(rest))
                elif what == "meet":
                    with meeting:
                        met[0] += 1
                        goal = -(-met[0] // int(rest)) * int(rest)  # of one's own round
                        meeting.notify_all()
                        meeting.wait_for(lambda: met[0] >= goal, 30)
                        here = met[0]
                    self.answer(200, f"{here}\n".encode())
                elif what == "never":
                    self.connection.settimeout(60)
                    with contextlib.suppress(OSError):
                        self.connection.recv(1)
                    self.close_connection = True
                else:
                    self.answer(404, b"no such page\n")

            def answer(self, code, body, **headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def environment(self):
        return {"HTTP_PORT": str(self.port)}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def running(*kinds):
    """The environment of a program that is to find them."""
    with contextlib.ExitStack() as started:
        environment = dict(os.environ)
        for kind in kinds:
            server = kind()
            started.callback(server.close)
            environment.update(server.environment)
        yield environment


def main():
    # Ended by whoever runs the tests, the servers end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with running(Postgres, Redis, Http) as environment:
        sys.exit(subprocess.run(sys.argv[1:], env=environment).returncode)


if __name__ == "__main__":
    main()
