"""Messages on a stream: each example against Python's struct and json at the other end, in both directions."""
import json
import re
import socket
import struct

import examples


def send_message(sock, text):
    sock.sendall(struct.pack("i", len(text)) + text)


def receive_message(sock):
    (length,) = struct.unpack("i", examples.receive_exactly(sock, 4))
    return examples.receive_exactly(sock, length)


def send_frame(sock, header, body=b""):
    send_message(sock, header if isinstance(header, bytes) else json.dumps(header).encode())
    sock.sendall(body)


def receive_frame(sock):
    header = json.loads(receive_message(sock))
    return header, examples.receive_exactly(sock, header.get("size", 0))


class StickyPackets(examples.TestCase):
    def check(self, output):
        merged, split = output.split("one message was sent")
        self.assertEqual("".join(re.findall(r"bytes: (.*)", merged)), "helloworldegg")
        self.assertEqual(re.findall(r"bytes: (.*)", split), ["hell", "o wo", "rld"])

    def test_both_ends(self):
        with examples.Program("sticky_packets", "receive", 0) as receiver:
            examples.run("sticky_packets", "send", receiver.port())
            self.assertEqual(receiver.end(), 0)
            self.check(receiver.output.decode())

    def test_python_sends(self):
        with examples.Program("sticky_packets", "receive", 0) as receiver, examples.client(receiver.port()) as sock:
            for message in (b"hello", b"world", b"egg"):
                sock.sendall(message)
            self.assertEqual(examples.receive_exactly(sock, 4), b"next")
            sock.sendall(b"hello world")
            self.assertEqual(receiver.end(), 0)
            self.check(receiver.output.decode())

    def test_python_receives(self):
        with examples.server() as listener:
            with examples.Program("sticky_packets", "send", listener.getsockname()[1]) as sender:
                sock, _ = listener.accept()
                with sock:
                    self.assertEqual(examples.receive_exactly(sock, 13), b"helloworldegg")
                    sock.sendall(b"next")
                    self.assertEqual(examples.receive_all(sock), b"hello world")
                self.assertEqual(sender.end(), 0)


class LengthAsText(examples.TestCase):
    def test_both_ends(self):
        with examples.Program("length_as_text", "server", 0) as server:
            answer = examples.run("length_as_text", "client", server.port(), 5000).stdout
        self.assertEqual(answer, "".join(f"{n}\n" for n in range(1, 5001)))

    def test_python_client(self):
        with examples.Program("length_as_text", "server", 0) as server, examples.client(server.port()) as sock:
            for count in (1, 3000, 10):
                sock.send(str(count).encode())
                length = int(sock.recv(1024).decode())
                sock.send("recv_ready".encode())
                data = examples.receive_exactly(sock, length)
                self.assertEqual(data.decode().split(), [str(n) for n in range(1, count + 1)])

    def test_python_server(self):
        with examples.server() as listener:
            with examples.Program("length_as_text", "client", listener.getsockname()[1], 7) as client:
                sock, _ = listener.accept()
                with sock:
                    self.assertEqual(sock.recv(1024), b"7")
                    text = "七 \n" * 2000
                    sock.send(str(len(text.encode())).encode())
                    self.assertEqual(sock.recv(1024), b"recv_ready")
                    sock.sendall(text.encode())
                self.assertEqual(client.end(), 0)
                self.assertEqual(client.output.decode(), text)

    def test_no_stranger_makes_it_count_for_ever(self):
        with examples.Program("length_as_text", "server", 0) as server:
            for wish in b"2000000", b"-5", b"99999999999999999999", b"abc":
                with self.subTest(wish=wish), examples.client(server.port()) as sock:
                    sock.sendall(wish)
                    self.assertEqual(sock.recv(1024), b"")
                    server.wait_for("no number up to 100000")
                    server.output = server.output[:server.output.index(b"\n") + 1]
            with examples.client(server.port()) as sock:
                sock.sendall(b"3")
                self.assertEqual(sock.recv(1024), b"6")

    def test_what_went_wrong_is_one_line(self):
        for answer, error in ((b"", "the server has gone"), (b"2000000", "what came is no number up to 1048576")):
            with examples.server() as listener:
                with examples.Program("length_as_text", "client", listener.getsockname()[1], 7) as client:
                    sock, _ = listener.accept()
                    with sock:
                        sock.recv(1024)
                        sock.sendall(answer)
                    self.assertEqual(client.end(), 1)
                    self.assertEqual(client.output.decode(), f"length_as_text: {error}\n")
        with examples.server() as taken:
            port = taken.getsockname()[1]
            self.assert_fails("length_as_text", "server", port, says=f"bind 127.0.0.1:{port}: Address already in use")


class FixedLength(examples.TestCase):
    def test_both_ends(self):
        with examples.Program("fixed_length", "server", 0) as server:
            answer = examples.run("fixed_length", "client", server.port(), "hello", "黑马", "").stdout
        self.assertEqual(answer, "5 bytes: hello\n6 bytes: 黑马\n0 bytes: \n")

    def test_python_client(self):
        with examples.Program("fixed_length", "server", 0) as server, examples.client(server.port()) as sock:
            messages = [b"one", b"", "黑马".encode("gbk"), bytes(range(256)) * 300]
            for message in messages:
                send_message(sock, message)
            for message in messages:
                self.assertEqual(receive_message(sock), message)

    def test_python_client_that_sends_byte_by_byte(self):
        with examples.Program("fixed_length", "server", 0) as server, examples.client(server.port()) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in struct.pack("i", 5) + b"hello":
                sock.sendall(bytes([byte]))
            self.assertEqual(receive_message(sock), b"hello")

    def test_a_bad_length_ends_its_own_connection_only(self):
        with examples.Program("fixed_length", "server", 0) as server:
            for length in (-1, -(2**31), 2**31 - 1, 1024 * 1024 + 1):
                with examples.client(server.port()) as sock:
                    sock.sendall(struct.pack("i", length))
                    self.assertEqual(examples.receive_all(sock), b"")
            with examples.client(server.port()) as sock:
                send_message(sock, b"still here")
                self.assertEqual(receive_message(sock), b"still here")

    def test_python_server(self):
        with examples.server() as listener:
            with examples.Program("fixed_length", "client", listener.getsockname()[1], "a", "黑马") as client:
                sock, _ = listener.accept()
                with sock:
                    self.assertEqual(examples.receive_exactly(sock, 15), b"\1\0\0\0a\6\0\0\0" + "黑马".encode())
                    send_message(sock, b"A")
                    send_message(sock, b"B")
                self.assertEqual(client.end(), 0)
                self.assertEqual(client.output, b"1 bytes: A\n1 bytes: B\n")


class JsonHeader(examples.TestCase):
    def test_both_ends(self):
        with examples.Program("json_header", "server", 0) as server:
            answer = examples.run("json_header", "client", server.port(), "hello", "黑马").stdout
        first, second = answer.splitlines()
        self.assertEqual(first, '{"cmd":"echo","codec":"utf-8","size":5,"answer_to":5} hello')
        self.assertTrue(second.endswith(" 黑马"))

    def test_python_client(self):
        with examples.Program("json_header", "server", 0) as server, examples.client(server.port()) as sock:
            headers = [
                {"size": 3, "cmd": "echo"},
                {"cmd": "echo", "size": 3, "unknown": [1, None, {"deep": "键"}]},
                {"n": 2**200, "m": -(2**64), "size": 3},
            ]
            for header in headers:
                send_frame(sock, header, b"abc")
                answer, body = receive_frame(sock)
                self.assertEqual(answer, header | {"answer_to": 3})
                self.assertEqual(body, b"abc")

    def test_python_server(self):
        with examples.server() as listener:
            with examples.Program("json_header", "client", listener.getsockname()[1], "hi") as client:
                sock, _ = listener.accept()
                with sock:
                    header, body = receive_frame(sock)
                    self.assertEqual((header, body), ({"cmd": "echo", "codec": "utf-8", "size": 2}, b"hi"))
                    # As json.dumps writes it, with spaces, escapes and keys in any order.
                    send_frame(sock, {"size": 6, "id": 10**30, "text": "黑马"}, "黑马".encode())
                self.assertEqual(client.end(), 0)
                self.assertIn('"id":1000000000000000000000000000000', client.output.decode())

    def test_what_is_no_frame_is_named_and_ends_its_own_connection_only(self):
        bad = {
            "bad_length": [struct.pack("i", 0), struct.pack("i", -1), struct.pack("i", -(2**31))],
            "header_limit": [struct.pack("i", 2**31 - 1), struct.pack("i", 65537)],
            "truncated": [b"\x05\0", struct.pack("i", 10) + b'{"a"', struct.pack("i", 11) + b'{"size": 5}abc'],
            "not_json": [struct.pack("i", 4) + b"{a:}", struct.pack("i", 3) + b"   "],
            "not_object": [struct.pack("i", 2) + b"[]", struct.pack("i", 4) + b"null"],
            "duplicate_key": [struct.pack("i", 13) + b'{"a":1,"a":2}'],
            "invalid_utf8": [struct.pack("i", 9) + b'{"a":"\xff"}'],
            "bad_size": [struct.pack("i", len(h)) + h for h in
                         (b'{"size":-1}', b'{"size":9223372036854775808}', b'{"size":1e3}', b'{"size":"3"}')],
            "body_limit": [struct.pack("i", 28) + b'{"size":9223372036854775807}'],
        }
        with examples.Program("json_header", "server", 0) as server:
            port = server.port()
            for fault, inputs in bad.items():
                for data in inputs:
                    with self.subTest(fault=fault, data=data), examples.client(port) as sock:
                        sock.sendall(data)
                        sock.shutdown(socket.SHUT_WR)
                        self.assertEqual(examples.receive_all(sock), b"")
                        server.wait_for(f"refused: {fault}: .*\n")
                        server.output = b""
            with examples.client(port) as sock:
                send_frame(sock, {"size": 2}, b"ok")
                self.assertEqual(receive_frame(sock)[1], b"ok")


if __name__ == "__main__":
    examples.main()
