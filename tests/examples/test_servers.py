"""The server examples: one handler in every form, 500 Python clients at once, and uploads that never share a number."""
import os
import pathlib
import re
import resource
import signal
import socket
import struct
import tempfile
import threading

import examples

CLIENTS = max(50, int(500 * float(os.environ.get("HAWSER_TEST_SCALE", "1.0"))))


class EchoServers(examples.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < 2 * CLIENTS + 100:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CLIENTS + 100), hard))

    def crowd(self, form):
        with examples.Program("echo_servers", form, 0) as server:
            port = server.port()
            clients = []
            for number in range(CLIENTS):
                sock = examples.client(port)
                clients.append((sock, b"client %d" % number))
            for sock, text in clients:  # all are connected before the first one ends
                sock.sendall(text)
                sock.shutdown(socket.SHUT_WR)
            for sock, text in clients:
                self.assertEqual(examples.receive_all(sock), text)
                sock.close()
            if form != "selector":
                self.assertEqual(server.stop(signal.SIGINT), 0)

    def test_one_at_a_time(self):
        self.crowd("one")

    def test_threads(self):
        self.crowd("threads")

    def test_processes(self):
        self.crowd("processes")

    def test_fibers(self):
        self.crowd("fibers")

    def test_selector(self):
        self.crowd("selector")

    def test_a_client_that_resets_ends_nobody_else(self):
        for form in ("one", "threads", "processes", "fibers", "selector"):
            with self.subTest(form=form), examples.Program("echo_servers", form, 0) as server:
                port = server.port()
                rude = examples.client(port)
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                rude.sendall(b"x")
                self.assertEqual(rude.recv(1), b"x")
                rude.close()
                with examples.client(port) as polite:
                    polite.sendall(b"still here")
                    self.assertEqual(examples.receive_exactly(polite, 10), b"still here")
                if form != "selector":
                    self.assertEqual(server.stop(signal.SIGTERM), 0)

    def test_a_client_that_does_not_read_holds_up_nobody_else(self):
        for form in ("threads", "processes", "fibers", "selector"):
            with self.subTest(form=form), examples.Program("echo_servers", form, 0) as server:
                port = server.port()
                with examples.client(port) as lazy, examples.client(port) as other:
                    examples.send_until_it_is_full(lazy)
                    other.sendall(b"still here")
                    self.assertEqual(examples.receive_exactly(other, 10), b"still here")

    def test_out_of_descriptors_the_selector_serves_those_that_are_in_and_goes_on(self):
        with examples.Program("echo_servers", "selector", 0, preexec_fn=examples.few_descriptors) as server:
            examples.fill_with_clients(self, server)

    def test_says_what_is_wrong_in_a_line(self):
        with examples.server() as listener:
            port = listener.getsockname()[1]
            taken = f"bind 127.0.0.1:{port}: Address already in use"
            for form in ("one", "threads", "processes", "fibers", "selector"):
                done = examples.run("echo_servers", form, port, check=False)
                self.assertEqual((done.returncode, done.stderr), (1, f"echo_servers: {taken}\n"))
            for name, *arguments in ("echo_server",), ("upper_server",), ("numbered_uploads", "/tmp"):
                done = examples.run(name, *arguments, port, check=False)
                self.assertEqual((done.returncode, done.stderr), (1, f"{name}: {taken}\n"))

    def test_a_port_that_is_none_is_said(self):
        for name, *arguments in (("echo_server",), ("upper_server",), ("numbered_uploads", "/tmp"), ("fiber_server",),
                                 ("tcp_server",), ("time_server",), ("udp_server",), ("json_header", "server"),
                                 ("upload_server",)):
            for port, fault in (("80x", "the port is not a number (at 12)"),
                                ("65536", "the port must be 0 to 65535 (at 10)")):
                more = ["/tmp"] if name == "upload_server" else []
                self.assert_fails(name, *arguments, port, *more, says=f'bad address "127.0.0.1:{port}": {fault}')

    def test_the_program_of_the_readme(self):
        try:
            examples.server(port=8080).close()
        except OSError as error:
            self.skipTest(f"it has a port of its own, and that is taken: {error}")
        with examples.Program("echo") as server:
            for text in b"one", b"two":
                with examples.client_of_one_that_starts(8080) as sock:
                    sock.sendall(text)
                    self.assertEqual(examples.receive_exactly(sock, 3), text)
            self.assertIsNone(server.process.poll())


class AddingUp(examples.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "sums")

    def client(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(examples.SECONDS)
        sock.connect(self.path)
        self.assertEqual(examples.receive_exactly(sock, 24), b"a number a line, please\n")
        return sock

    def test_setup_handle_finish_also_after_an_error(self):
        with examples.Program("adding_up", self.path) as server:
            server.wait_for("listening on")
            with self.client() as one, self.client() as other:
                server.type("\n")
                server.wait_for("2 talking\n")
                one.sendall(b"40\n2\nmany\n")
                self.assertEqual(examples.receive_all(one), b"42 in all\n")
                server.wait_for("adding_up: no number: many\n")
                other.sendall(b"1\n-2\n")
                other.shutdown(socket.SHUT_WR)
                self.assertEqual(examples.receive_all(other), b"-1 in all\n")

    def test_the_end_of_its_input_sees_everybody_out(self):
        with examples.Program("adding_up", self.path) as server:
            server.wait_for("listening on")
            with self.client() as silent:
                server.end_of_input()
                silent.recv(100)
                self.assertEqual(server.end(), 0)
                self.assertIn(b"stopped\n", server.output)
        self.assertFalse(os.path.exists(self.path))

    def test_says_what_is_wrong_in_a_line(self):
        done = examples.run("adding_up", "/nowhere/sums", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^adding_up: .*/nowhere/sums: No such file or directory\n$")


class Votes(examples.TestCase):
    def test_counts_until_nobody_votes(self):
        with examples.Program("votes", 0, 3, "tea", "coffee") as server:
            with examples.client(server.port(), socket.SOCK_DGRAM) as voter:
                for vote, answer in ((b"tea", b"counted"), (b"coffee", b"counted"), (b"", b"nobody of that name"),
                                     (b"tea", b"counted"), (b"water", b"nobody of that name")):
                    voter.send(vote)
                    self.assertEqual(voter.recv(100), answer)
            self.assertEqual(server.end(), 0)
            self.assertTrue(server.output.endswith(b"\ncoffee 1\ntea 2\n"))


class NumberedUploads(examples.TestCase):
    def upload(self, port, content, receipts):
        with examples.client(port) as sock:
            sock.sendall(content)
            sock.shutdown(socket.SHUT_WR)
            receipts.append((content, examples.receive_all(sock).decode()))

    def test_no_two_uploads_share_a_number(self):
        with tempfile.TemporaryDirectory() as folder, \
                examples.Program("numbered_uploads", folder, 0) as one, \
                examples.Program("numbered_uploads", folder, 0) as another:
            ports = [one.port(), another.port()]
            receipts = []
            threads = [threading.Thread(target=self.upload, args=(ports[i % 2], b"%d " % i * (i * 1000), receipts))
                       for i in range(40)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            numbers = set()
            for content, receipt in receipts:
                number, size = map(int, re.fullmatch(r"stored as (\d+), (\d+) bytes\n", receipt).groups())
                numbers.add(number)
                self.assertEqual(size, len(content))
                self.assertEqual((pathlib.Path(folder) / str(number)).read_bytes(), content)
            self.assertEqual(len(numbers), 40)
            self.assertEqual(len(os.listdir(folder)), 40)

    def test_half_an_upload_is_none(self):
        with tempfile.TemporaryDirectory() as folder, examples.Program("numbered_uploads", folder, 0) as server:
            with socket.create_connection(("127.0.0.1", server.port()), examples.SECONDS) as sock:
                sock.sendall(b"half")
                examples.until(lambda: os.listdir(folder) == ["1"])
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            examples.until(lambda: os.listdir(folder) == [])


if __name__ == "__main__":
    examples.main()
