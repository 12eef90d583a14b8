"""Remote commands in every classic form: both ends ours, then Python at each."""
import hashlib
import json
import socket
import struct

import examples

FORMS = ["raw", "ready", "length", "json", "frames"]


def ask(sock, form, command):
    sock.sendall(command.encode())
    if form == "raw":
        return sock.recv(65536)
    if form == "ready":
        length = int(sock.recv(64))
        sock.sendall(b"recv_ready")
        return examples.receive_exactly(sock, length)
    (length,) = struct.unpack("i", examples.receive_exactly(sock, 4))
    if form == "length":
        return examples.receive_exactly(sock, length)
    header = json.loads(examples.receive_exactly(sock, length))
    if form == "json":
        data = examples.receive_exactly(sock, header["total_size"])
        assert header["data_size"] == len(data) and header["md5"] == hashlib.md5(data).hexdigest()
        return data
    out = examples.receive_exactly(sock, header.get("size", 0))
    (length,) = struct.unpack("i", examples.receive_exactly(sock, 4))
    errors = json.loads(examples.receive_exactly(sock, length))
    assert header["stream"] == "stdout" and errors["stream"] == "stderr"
    return out + examples.receive_exactly(sock, errors.get("size", 0))


def answer(sock, form, output):
    if form == "raw":
        sock.sendall(output)
    elif form == "ready":
        sock.sendall(str(len(output)).encode())
        assert sock.recv(64) == b"recv_ready"
        sock.sendall(output)
    elif form == "length":
        sock.sendall(struct.pack("i", len(output)) + output)
    elif form == "json":
        header = json.dumps({"md5": hashlib.md5(output).hexdigest(), "total_size": len(output),
                             "data_size": len(output)}).encode()
        sock.sendall(struct.pack("i", len(header)) + header + output)
    else:
        for stream, data in ("stdout", output), ("stderr", b""):
            header = json.dumps({"code": 0, "stream": stream, "size": len(data)}).encode()
            sock.sendall(struct.pack("i", len(header)) + header + data)


class Commands(examples.TestCase):
    def test_both_ends(self):
        for form in FORMS:
            with self.subTest(form), examples.Program("command_server", form, 0) as server:
                commands = "echo 你好\n\nprintf 'a\\nb\\n'; echo wrong >&2\nq\n"
                done = examples.run("command_client", form, server.port(), text=commands)
                self.assertEqual(done.stdout, "你好\na\nb\nwrong\n")

    def test_python_client(self):
        for form in FORMS:
            with self.subTest(form), examples.Program("command_server", form, 0) as server:
                with examples.client(server.port()) as one, examples.client(server.port()) as other:
                    self.assertEqual(ask(one, form, "echo one; echo two >&2"), b"one\ntwo\n")
                    self.assertEqual(ask(other, form, "echo other"), b"other\n")
                    if form != "raw":  # there nobody could tell where this one ends
                        self.assertEqual(ask(one, form, "head -c 3000000 /dev/zero"), bytes(3_000_000))
                        self.assertEqual(ask(one, form, "true"), b"")

    def test_an_answer_that_was_cut_says_so(self):
        kept = 16 << 20
        note = b"\n[cut: there was more]\n"
        for form in FORMS[1:]:
            with self.subTest(form), examples.Program("command_server", form, 0) as server:
                port = server.port()
                with examples.client(port) as sock:
                    data = ask(sock, form, "head -c 20000000 /dev/zero; echo end")
                    self.assertTrue(data == bytes(kept) + (note if form in ("ready", "length") else b""))
                done = examples.run("command_client", form, port, text="head -c 20000000 /dev/zero; echo end\nq\n")
                self.assertTrue(done.stdout.encode() == bytes(kept) + note)

    def test_client_says_when_there_is_no_server_any_more(self):
        for form in FORMS:
            with self.subTest(form), examples.server() as listener:
                with examples.Program("command_client", form, listener.getsockname()[1]) as client:
                    client.type("ls\n")
                    sock, _ = listener.accept()
                    with sock:
                        self.assertEqual(sock.recv(1024), b"ls")
                    self.assertEqual(client.end(), 1)
                    self.assertEqual(client.output, b"command_client: the server hung up\n")
        self.assert_fails("command_client", "raw", 1, says="connect 127.0.0.1:1: Connection refused")

    def test_client_does_not_believe_every_length(self):
        huge = 1 << 30
        header = json.dumps({"total_size": huge}).encode()
        for form, claim in (("ready", b"%d" % huge), ("ready", b"many"), ("length", struct.pack("i", huge)),
                            ("json", struct.pack("i", huge)), ("json", struct.pack("i", len(header)) + header)):
            with self.subTest(form, claim=claim), examples.server() as listener:
                with examples.Program("command_client", form, listener.getsockname()[1]) as client:
                    client.type("ls\n")
                    sock, _ = listener.accept()
                    with sock:
                        sock.sendall(claim)
                        self.assertEqual(client.end(), 1)
                        self.assertRegex(client.output, rb"^command_client: the server claims (-1|1073741824) bytes\n$")

    def test_server_says_what_is_wrong_in_a_line(self):
        with examples.server() as listener:
            port = listener.getsockname()[1]
            self.assert_fails("command_server", "raw", port, says=f"bind 127.0.0.1:{port}: Address already in use")

    def test_python_server(self):
        for form in FORMS:
            with self.subTest(form), examples.server() as listener:
                with examples.Program("command_client", form, listener.getsockname()[1]) as client:
                    client.type("ls\n")
                    sock, _ = listener.accept()
                    with sock:
                        self.assertEqual(sock.recv(1024), b"ls")
                        answer(sock, form, "数据.txt\n".encode())
                        client.wait_for("数据.txt\n")
                        client.type("q\n")
                        self.assertEqual(client.end(), 0)


class UdpCommands(examples.TestCase):
    def test_both_ends(self):
        with examples.Program("command_udp_server", 0) as server:
            commands = "echo 你好\necho no >&2\nq\n"
            done = examples.run("command_udp_client", server.port(), text=commands)
            self.assertEqual((done.stdout, done.stderr), ("你好\n", "no\n"))

    def test_python_client_gets_errors_then_output_and_is_told_of_a_cut(self):
        with examples.Program("command_udp_server", 0) as server:
            with examples.client(server.port(), socket.SOCK_DGRAM) as sock:
                sock.send(b"echo out; echo err >&2")
                self.assertEqual([sock.recv(65536), sock.recv(65536)], [b"err\n", b"out\n"])
                sock.send(b"head -c 100000 /dev/zero")
                self.assertEqual(sock.recv(65536), b"")
                cut = sock.recv(65536)
                self.assertEqual(len(cut), 65507)
                self.assertTrue(cut.endswith(b"\n[cut: 100000 bytes in all]\n"))
                sock.send(b"head -c 3000000 /dev/zero")
                self.assertEqual(sock.recv(65536), b"")
                self.assertTrue(sock.recv(65536).endswith(b"\n[cut: at least 1048576 bytes in all]\n"))

    def test_client_says_what_is_wrong_in_a_line(self):
        done = examples.run("command_udp_client", 1, text="x" * 65508 + "\n", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^command_udp_client: send_to .* at most 65507.*\n$")

    def test_what_is_no_command_ends_nobody_elses(self):
        with examples.Program("command_udp_server", 0) as server:
            with examples.client(server.port(), socket.SOCK_DGRAM) as sock:
                sock.send(b"echo \0")
                self.assertIn(b"NUL", sock.recv(65536))
                self.assertEqual(sock.recv(65536), b"")
                sock.send(b"echo after")
                self.assertEqual([sock.recv(65536), sock.recv(65536)], [b"", b"after\n"])

    def test_who_cannot_be_answered_ends_nobody_else(self):
        with examples.Program("command_udp_server", 0) as server:
            examples.send_from_port_0(server.port(), b"true")
            server.wait_for("Invalid argument")
            with examples.client(server.port(), socket.SOCK_DGRAM) as sock:
                sock.send(b"echo after")
                self.assertEqual([sock.recv(65536), sock.recv(65536)], [b"", b"after\n"])

    def test_python_server(self):
        with examples.server(socket.SOCK_DGRAM) as sock:
            with examples.Program("command_udp_client", sock.getsockname()[1]) as client:
                client.type("ls\n")
                command, peer = sock.recvfrom(1024)
                self.assertEqual(command, b"ls")
                sock.sendto(b"", peer)
                sock.sendto(b"a.txt\n", peer)
                client.wait_for("a.txt\n")
                client.type("q\n")
                self.assertEqual(client.end(), 0)


if __name__ == "__main__":
    examples.main()
