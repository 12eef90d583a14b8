"""`hawser up` as a service: a socket that somebody else has opened, and telling how it is (sd_listen_fds, sd_notify)."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from hub import BINARY, PATIENCE


class Service(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hawser-service-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *options, inherit=(), **variables):
        """Starts a hub as a service manager does. LISTEN_PID is the hub's own, so a shell sets it before it becomes it."""
        environment = {**os.environ, **variables}
        words = [BINARY, "up", "--plain", "--root", self.folder + "/root", *options]
        moved = " ".join(f"{wanted}<&{sock.fileno()}" for wanted, sock in enumerate(inherit, 3))
        script = f'LISTEN_PID=$$ exec "$@" {moved}' if inherit else 'exec "$@"'
        hub = subprocess.Popen(["sh", "-c", script, "sh", *words], env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, pass_fds=[sock.fileno() for sock in inherit])
        self.addCleanup(hub.stderr.close)
        self.addCleanup(hub.stdout.close)
        self.addCleanup(hub.wait)
        self.addCleanup(hub.kill)
        return hub

    def ready(self, hub):
        for line in hub.stderr:
            if line.startswith("ready "):
                return line.split()[1]
        raise AssertionError("never ready")

    def test_serves_the_socket_that_it_inherits(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "%s:%d" % listener.getsockname()
            hub = self.start(inherit=[listener], LISTEN_FDS="1", LISTEN_FDNAMES="hub")
            self.assertEqual(self.ready(hub), address)
            host, port = listener.getsockname()
            with socket.create_connection((host, port), PATIENCE) as client:
                self.assertTrue(client.getpeername())
            hub.send_signal(signal.SIGTERM)
            self.assertEqual(hub.wait(PATIENCE), 0)
            # The manager's socket lives on: the next hub finds what waits in it.
            with socket.create_connection((host, port), PATIENCE):
                again = self.start(inherit=[listener], LISTEN_FDS="1")
                self.assertEqual(self.ready(again), address)

    def test_sockets_of_another_process_are_left_alone(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            hub = self.start("--listen", "127.0.0.1:0", LISTEN_FDS="1", LISTEN_PID="1")
            self.assertNotEqual(self.ready(hub), "%s:%d" % listener.getsockname())

    def test_what_is_no_listener_is_refused(self):
        with socket.socket() as sock:
            hub = self.start(inherit=[sock], LISTEN_FDS="1")
            self.assertNotEqual(hub.wait(PATIENCE), 0)
            self.assertIn("listens", hub.stderr.read())

    def test_tells_when_it_is_ready_alive_and_stopping(self):
        for path in (self.folder + "/notify", "@hawser-notify-%d" % os.getpid()):
            with self.subTest(path=path), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(PATIENCE)
                manager.bind(path.replace("@", "\0"))
                hub = self.start("--listen", "127.0.0.1:0", NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
                said = []
                while said.count("WATCHDOG=1") < 3 or "READY=1" not in said:
                    said += manager.recv(4096).decode().splitlines()
                self.assertIn("STATUS=serving on " + self.ready(hub), said)
                hub.send_signal(signal.SIGTERM)
                while "STOPPING=1" not in said:
                    said += manager.recv(4096).decode().splitlines()
                self.assertEqual(hub.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
