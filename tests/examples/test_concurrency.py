"""The examples about doing several things at once: deterministic, each to its end."""
import platform
import re
import signal
import socket
import subprocess
import tempfile

import examples


class Concurrency(examples.TestCase):
    def test_what_each_costs_is_told_with_the_name_of_the_machine(self):
        machine, *costs = examples.run("what_each_costs").stdout.splitlines()
        self.assertRegex(machine, rf"^.+, \d+ cores, {platform.system()} {re.escape(platform.release())}$")
        for line, what in zip(costs, ["make a process", "make a thread", "make a fiber",
                                      "switch processes", "switch threads", "switch fibers"], strict=True):
            self.assertRegex(line, rf"^{what} +\d+\.\d\d\d µs$")


class SmallServers(examples.TestCase):
    def test_echo_until_ctrl_c(self):
        with examples.Program("echo_server", 0) as server, examples.client(server.port()) as sock:
            sock.sendall("你好".encode())
            self.assertEqual(examples.receive_exactly(sock, 6), "你好".encode())
            self.assertEqual(server.stop(signal.SIGINT), 0)
            self.assertIn(b"stopped", server.output)
            self.assertEqual(sock.recv(10), b"")

    def test_address_of_a_killed_server_is_free_at_once(self):
        for _ in range(10):
            with examples.Program("echo_server", 0) as server:
                port = server.port()
                server.process.kill()
                server.process.wait()
                with socket.socket() as next_life:
                    next_life.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    next_life.bind(("127.0.0.1", port))

    def test_service_takes_the_socket_it_is_given_says_when_it_is_ready_and_drains_when_told_to_stop(self):
        with tempfile.TemporaryDirectory() as folder, examples.server() as listener, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(examples.SECONDS)
            command = f'exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0"'
            service = subprocess.Popen(["sh", "-c", command, examples.PROGRAMS / "service"], stdout=subprocess.PIPE,
                                       pass_fds=[listener.fileno()], env={"NOTIFY_SOCKET": f"{folder}/notify"})
            try:
                self.assertIn(b"READY=1", manager.recv(1024))
                with examples.client(listener.getsockname()[1]) as sock:
                    sock.sendall(b"one\n")
                    self.assertEqual(sock.recv(10), b"ONE\n")
                    sock.sendall(b"tw")
                    service.terminate()
                    self.assertIn(b"STOPPING=1", manager.recv(1024))
                    sock.sendall(b"o\n")  # what goes on may end
                    self.assertEqual(sock.recv(10), b"TWO\n")
                self.assertEqual(service.wait(examples.SECONDS), 0)
            finally:
                service.kill()
                service.communicate()

    def test_upper_lines(self):
        with examples.Program("upper_server", 0) as server, examples.client(server.port()) as sock:
            sock.sendall(b"one\ntwo\nthr")
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(examples.receive_all(sock), b"ONE\nTWO\nTHR")


if __name__ == "__main__":
    examples.main()
