"""What no friendly client sends: each gets one error and a closed connection, and the hub goes on as if nothing was."""
import json
import os
import random
import socket
import ssl
import struct
import threading
import unittest

from hawser_client import Connection
from hub import PASSWORD, HubTestCase, eventually, scaled

TIMEOUT = 120


def frame(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<i", len(text)) + text + body


def sized(text):
    return frame(b'{"cmd":"ping","size":' + text + b"}")


BAD_LENGTHS = {
    "length zero": struct.pack("<i", 0),
    "length minus one": struct.pack("<i", -1),
    "length most negative": struct.pack("<i", -(2**31)),
    "length one beyond the limit": struct.pack("<i", 65537),
    "length huge": struct.pack("<i", 2**31 - 1),
    "length in the wrong byte order": struct.pack(">i", 14) + b'{"cmd":"ping"}',
    "a web browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an ssh client": b"SSH-2.0-OpenSSH_9.2\r\n",
    "ones": b"\xff" * 64,
}
BAD_HEADERS = {
    "not JSON": frame(b"hello, world"),
    "one byte": frame(b"x"),
    "spaces": frame(b"     "),
    "NUL bytes": frame(b"\0" * 20),
    "half an object": frame(b'{"cmd":"ping"'),
    "two objects": frame(b'{"cmd":"ping"}{"cmd":"ping"}'),
    "text after the object": frame(b'{"cmd":"ping"} x'),
    "a comma too many": frame(b'{"cmd":"ping",}'),
    "single quotes": frame(b"{'cmd':'ping'}"),
    "a comment": frame(b'{"cmd":"ping"}//x'),
    "NaN": frame(b'{"cmd":"ping","id":NaN}'),
    "infinity": frame(b'{"cmd":"ping","id":Infinity}'),
    "a leading zero": frame(b'{"cmd":"ping","id":007}'),
    "a bare word": frame(b"{cmd:ping}"),
    "a raw control character": frame(b'{"cmd":"ping","id":"a\nb"}'),
    "a lone surrogate": frame(b'{"cmd":"ping","id":"\\ud800"}'),
    "a bad escape": frame(b'{"cmd":"ping","id":"\\x41"}'),
    "a list": frame(b'["ping"]'),
    "a string": frame(b'"ping"'),
    "a number": frame(b"42"),
    "null": frame(b"null"),
    "true": frame(b"true"),
    "the same key twice": frame(b'{"cmd":"ping","cmd":"ping"}'),
    "the same key twice, differently written": frame(b'{"cmd":"ping","\\u0063md":"hello"}'),
    "the same key twice, deeper": frame(b'{"cmd":"ping","id":{"a":1,"a":2}}'),
    "a wrong byte": frame(b'{"cmd":"ping","id":"\xff"}'),
    "an overlong slash": frame(b'{"cmd":"ping","id":"\xc0\xaf"}'),
    "a surrogate in UTF-8": frame(b'{"cmd":"ping","id":"\xed\xa0\x80"}'),
    "a cut character": frame(b'{"cmd":"ping","id":"\xe2\x82"}'),
    "UTF-16": frame('{"cmd":"ping"}'.encode("utf-16")),
    "deep lists": frame(b'{"cmd":"ping","id":' + b"[" * 20000 + b"]" * 20000 + b"}"),
    "deep objects": frame(b'{"cmd":"ping","id":' + b'{"a":' * 8000 + b"1" + b"}" * 8000 + b"}"),
    "deep and never closed": frame(b"[" * 65000),
} | {
    f"{head!r} never closed, and {behind!r} behind it": frame(head.encode(), behind * 100)
    for head in ("[[1]", '{"a":[{}', '{"a":{}', '{"cmd":["ping"]')
    for behind in (b",", b"]", b"}", b'"')
}
BAD_SIZES = {
    f"size {text.decode()[:40]}": sized(text)
    for text in (b"-1", b"-9223372036854775808", b"1.5", b"1.0", b"1e3", b"-0.5", b'"5"', b'""', b"true", b"[]", b"{}",
                 b"9223372036854775808", b"18446744073709551616", b"1" + b"0" * 300, b"1e400")
}


class Hostile(HubTestCase):
    def answer_and_end(self, data, *, finish=False, address=None):
        """Sends raw bytes; the one frame that comes back, None for none, and asserts that the hub then closes."""
        with socket.create_connection(address or (self.hub.host, self.hub.port), TIMEOUT) as sock:
            try:
                sock.sendall(data)
                if finish:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed while we were still sending
            received = b""
            try:
                while more := sock.recv(65536):
                    received += more
            except ConnectionResetError:
                pass
        if not received:
            return None
        length = struct.unpack("<i", received[:4])[0]
        self.assertEqual(len(received), 4 + length, "one frame and no more")
        return json.loads(received[4:])

    def assert_bad_frame(self, data, **options):
        answer = self.answer_and_end(data, **options)
        self.assertIsNotNone(answer, "closed without a word")
        self.assertEqual((False, "bad_frame"), (answer["ok"], answer["error"]["code"]))
        self.assertTrue(answer["error"]["message"])
        self.assertNotIn("Traceback", answer["error"]["message"])


class Plain(Hostile):
    hub_options = {"plain": True}

    def tearDown(self):
        self.connect().call("ping")

    def test_lengths(self):
        for what, data in BAD_LENGTHS.items():
            with self.subTest(what):
                self.assert_bad_frame(data)

    def test_headers(self):
        for what, data in BAD_HEADERS.items():
            with self.subTest(what):
                self.assert_bad_frame(data)

    def test_sizes(self):
        for what, data in BAD_SIZES.items():
            with self.subTest(what):
                self.assert_bad_frame(data)

    def test_truncated(self):
        whole = frame({"cmd": "ping"})
        for length in (1, 2, 3, 4, 5, len(whole) - 1):
            with self.subTest(length=length):
                self.assert_bad_frame(whole[:length], finish=True)
        self.assert_bad_frame(struct.pack("<i", 65536) + b" " * 65535, finish=True)

    def test_truncated_bodies(self):
        for length in (0, 3, 9):
            with self.subTest(length=length):
                self.assert_bad_frame(frame({"cmd": "ping", "size": 10}) + b"x" * length, finish=True)
                self.assert_bad_frame(frame({"cmd": "no such", "size": 10}) + b"x" * length, finish=True)

    def test_a_request_with_a_truncated_body_is_not_carried_out(self):
        _, token = self.new_user()
        for cmd in ("mkdir", "put"):
            connection = self.connect(token)
            connection.socket.sendall(frame({"cmd": cmd, "path": "made", "total": 10, "size": 10}) + b"abc")
            connection.socket.shutdown(socket.SHUT_WR)
            self.assertEqual("bad_frame", connection.receive()["error"]["code"])
            self.assertEqual([], self.connect(token).call("list", path=".")["entries"])

    def test_nothing_after_a_bad_frame_is_served(self):
        _, token = self.new_user()
        resume = frame({"cmd": "resume", "token": token})
        mkdir = frame({"cmd": "mkdir", "path": "made"})
        for what, bad in (BAD_LENGTHS | BAD_HEADERS | BAD_SIZES).items():
            with self.subTest(what), socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
                stream = sock.makefile("rb")
                try:
                    sock.sendall(resume + bad + mkdir)
                except OSError:
                    pass
                try:
                    answers = stream.read()
                except ConnectionResetError:
                    continue
                length = struct.unpack("<i", answers[:4])[0]
                self.assertTrue(json.loads(answers[4:4 + length])["ok"])
                second = json.loads(answers[8 + length:])
                self.assertEqual("bad_frame", second["error"]["code"])
        self.assertEqual([], self.connect(token).call("list", path=".")["entries"])

    def test_a_put_that_ends_early_writes_nothing(self):
        _, token = self.new_user()
        for sent in (0, 1, 999_999):
            connection = self.hub.connect(token)
            connection.send({"cmd": "put", "path": "a", "total": 1_000_000, "size": 1_000_000})
            connection.socket.sendall(bytes(sent))
            connection.socket.shutdown(socket.SHUT_WR)
            try:
                self.assertIn(connection.receive()["error"]["code"], ("bad_frame", "bad_request"))
            except (EOFError, ConnectionResetError):
                pass
            connection.close()
        self.assertEqual([], self.connect(token).call("list", path=".", recursive=True)["entries"])

    def test_a_body_that_is_never_sent_is_not_waited_for_by_others(self):
        claimed = self.connect()
        claimed.send({"cmd": "ping", "size": 2**63 - 1})
        claimed.socket.sendall(bytes(100_000))
        self.connect().call("ping")

    def test_claims_cost_no_memory(self):
        self.signed_in()
        self.hub.forget_peak()
        before = self.hub.peak_kib()
        kept = []
        for number in range(scaled(300, 100)):
            sock = socket.create_connection((self.hub.host, self.hub.port), TIMEOUT)
            self.addCleanup(sock.close)
            kept.append(sock)
            sock.sendall([
                struct.pack("<i", 65536) + b'{"cmd":"ping","pad":"' + b"x" * 40_000,
                frame({"cmd": "put", "path": "a", "total": 2**62, "size": 2**62}, bytes(50_000)),
            ][number % 2])
        for _ in range(scaled(100, 30)):
            self.assert_bad_frame(struct.pack("<i", 2**31 - 1) + bytes(1000))
        self.connect().call("ping")
        self.assert_memory(self.hub.peak_kib() - before, 64)

    def test_noise(self):
        chance = random.Random(7)
        for _ in range(scaled(150, 40)):
            noise = chance.randbytes(chance.choice([1, 3, 4, 5, 100, 5000]))
            answer = self.answer_and_end(noise, finish=True)
            if answer is not None:
                self.assertEqual("bad_frame", answer["error"]["code"])

    def test_damaged_frames(self):
        """A good request with a few bytes changed: an answer or bad_frame, and never anything worse."""
        chance = random.Random(8)
        whole = bytearray(frame({"cmd": "hello", "version": 1, "client": "x" * 50, "id": [1, {"a": "ü"}]}))
        for _ in range(scaled(300, 80)):
            damaged = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
            with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
                sock.sendall(damaged)
                sock.shutdown(socket.SHUT_WR)
                stream = sock.makefile("rb")
                length = struct.unpack("<i", stream.read(4))[0]
                answer = json.loads(stream.read(length))
                code = answer.get("error", {}).get("code")
                self.assertIn(code, (None, "bad_frame", "bad_request", "unknown_command"))

    def test_one_byte_at_a_time(self):
        connection = self.connect()
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame({"cmd": "ping", "id": "slow but sure"}) + frame({"cmd": "ping"}):
            connection.socket.sendall(bytes([byte]))
        self.assertEqual("slow but sure", connection.receive()["id"])
        self.assertTrue(connection.receive()["ok"])

    def test_a_body_one_byte_at_a_time(self):
        connection = self.signed_in()
        connection.send({"cmd": "put", "path": "a", "total": 500, "size": 500})
        for _ in range(500):
            connection.socket.sendall(b"x")
        self.assertTrue(connection.receive()["ok"])
        self.assertEqual(b"x" * 500, connection.get("a"))

    def test_a_peer_that_never_reads_its_answers(self):
        """It fills its own connection and nobody else's memory."""
        _, token = self.new_user()
        self.connect(token).put("a", bytes(1 << 20))
        self.hub.forget_peak()
        before = self.hub.peak_kib()
        for _ in range(10):
            deaf = self.connect(token)
            deaf.socket.settimeout(0.2)
            try:
                for _ in range(200_000):
                    deaf.send({"cmd": "get", "path": "a"})
            except OSError:
                pass
        self.connect(token).call("ping")
        self.assert_memory(self.hub.peak_kib() - before, 64)

    def test_a_tls_client_at_a_plain_port_is_told_off(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
            with self.assertRaises(OSError):
                context.wrap_socket(sock)

    def test_vanishing_peers(self):
        for _ in range(scaled(200, 50)):
            sock = socket.create_connection((self.hub.host, self.hub.port), TIMEOUT)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(frame({"cmd": "hello", "version": 1}))
            sock.close()


class SignInFlood(HubTestCase):
    hub_options = {"plain": True, "members": False}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.hub.new_admin()

    def flood(self, **request):
        """Connections that send the request over and over; returns once the hub has refused one of them."""
        over, refused = threading.Event(), threading.Event()

        def send():
            with Connection(self.hub.host, self.hub.port) as connection:
                while not over.is_set():
                    connection.send(request)
                    if not connection.receive()["ok"]:
                        refused.set()

        threads = [threading.Thread(target=send) for _ in range(16)]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(over.set)
        self.assertTrue(refused.wait(TIMEOUT))

    def test_strangers_and_members_keep_nobody_else_from_signing_in(self):
        self.hub.new_user("mallory", self.connect(self.admin).call("invite")["invite"])
        floods = {
            "invites": {"cmd": "register", "user": "x", "password": PASSWORD, "invite": "0" * 32},
            "sign-ins": {"cmd": "login", "user": "mallory", "password": PASSWORD},
        }
        for what, request in floods.items():
            with self.subTest(what):
                self.flood(**request)
                for _ in range(10):
                    self.connect(source="127.0.0.2").login("admin", PASSWORD)
                self.doCleanups()

    def test_a_wrong_invite_does_not_tell_who_has_an_account(self):
        connection = self.connect(source="127.0.0.3")
        for user in ("admin", "nobody"):
            self.assert_refused("forbidden", "register", user=user, password=PASSWORD, invite="0" * 32, on=connection)


class Tls(Hostile):
    def tearDown(self):
        self.connect().call("ping")

    def test_bad_frames_inside_tls(self):
        for what, data in (BAD_LENGTHS | BAD_SIZES).items():
            with self.subTest(what), self.hub.connect() as connection:
                connection.socket.sendall(data)
                self.assertEqual("bad_frame", connection.receive()["error"]["code"])
                with self.assertRaises((EOFError, OSError)):
                    connection.receive()

    def test_garbage_instead_of_a_handshake(self):
        chance = random.Random(9)
        for data in (frame({"cmd": "ping"}), b"\x16\x03\x01" + bytes(500), b"\x16\x03\x01\xff\xff" + b"x" * 70_000,
                     *(chance.randbytes(300) for _ in range(20)), *BAD_LENGTHS.values()):
            with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
                try:
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):  # an alert at most, then the end
                        pass
                except OSError:
                    pass

    def client_hello(self):
        ours = ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["hawser/1"])
        try:
            context.wrap_bio(ssl.MemoryBIO(), ours).do_handshake()
        except ssl.SSLWantReadError:
            return ours.read()

    def test_half_a_handshake(self):
        hello = self.client_hello()
        for length in (1, 5, 6, 100, len(hello) - 1, len(hello)):
            with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
                sock.sendall(hello[:length])
        waiting = socket.create_connection((self.hub.host, self.hub.port), TIMEOUT)
        self.addCleanup(waiting.close)
        waiting.sendall(hello[:50])
        self.connect().call("ping")

    def test_a_handshake_one_byte_at_a_time(self):
        with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
            for byte in self.client_hello():
                sock.sendall(bytes([byte]))
            self.assertEqual(22, sock.recv(1)[0], "the hub's own hello")

    def test_older_versions_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
            with self.assertRaises(OSError):
                context.wrap_socket(sock)

    def test_another_protocol_is_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        with socket.create_connection((self.hub.host, self.hub.port), TIMEOUT) as sock:
            with self.assertRaises(OSError):
                wrapped = context.wrap_socket(sock)
                wrapped.sendall(b"GET / HTTP/1.1\r\n\r\n")
                if not wrapped.recv(1):
                    raise ConnectionError

    def test_a_wrong_pin_is_noticed_by_the_client(self):
        with self.assertRaises(ssl.SSLError):
            Connection(self.hub.host, self.hub.port, "sha256:" + "0" * 64)

    def test_a_cut_inside_tls_ends_a_put_without_a_trace(self):
        _, token = self.new_user()
        connection = self.hub.connect(token)
        connection.send({"cmd": "put", "path": "a", "total": 1_000_000, "size": 1_000_000})
        connection.socket.sendall(bytes(500_000))
        raw = socket.socket(fileno=connection.socket.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
        self.assertEqual([], self.connect(token).call("list", path=".", recursive=True)["entries"])

    def test_one_byte_a_record(self):
        connection = self.connect()
        for byte in frame({"cmd": "ping", "id": 1}):
            connection.socket.sendall(bytes([byte]))
        self.assertEqual(1, connection.receive()["id"])


class Crowded(HubTestCase):
    """What bad frames leave behind is nothing: descriptors come back."""

    hub_options = {"plain": True}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.hub.process.pid}/fd"))

    def test_descriptors_come_back(self):
        self.connect().call("ping")
        before = self.descriptors()
        socks = [socket.create_connection((self.hub.host, self.hub.port)) for _ in range(200)]
        for number, sock in enumerate(socks):
            sock.sendall([b"\xff" * 10, frame({"cmd": "ping"}), b"\x10"][number % 3])
        for sock in socks:
            sock.close()
        eventually(lambda: self.descriptors() <= before + 5, "closed connections are closed here too")


if __name__ == "__main__":
    unittest.main()
