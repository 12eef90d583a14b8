"""A hawser client in the Python standard library, written from docs/protocol.md alone.

    hub = Connection("127.0.0.1", 7700, pin="sha256:…")
    hub.login("anna", "correct horse")
    hub.put("a.txt", b"hello")
    print(hub.get("a.txt"))
"""
import hashlib
import json
import socket
import ssl
import struct


class Refused(Exception):
    """The hub's answer was an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]


class Frame(dict):
    """A header, and the body that came with it."""

    body = b""


class Connection:
    def __init__(self, host, port, pin=None, timeout=120, source=None):
        """pin is the fingerprint of the hub's certificate; without one, this is plain TCP. source: the address to
        come from."""
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pin:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.set_alpn_protocols(["hawser/1"])
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the pin is what we trust
            self.socket = context.wrap_socket(self.socket)
            seen = "sha256:" + hashlib.sha256(self.socket.getpeercert(True)).hexdigest()
            if seen != pin:
                self.socket.close()
                raise ssl.SSLError(f"this hub is {seen}, not {pin}")
        self.stream = self.socket.makefile("rb", buffering=1 << 16)

    def send(self, header, body=b""):
        if body:
            header = {**header, "size": len(body)}
        text = json.dumps(header).encode()
        self.socket.sendall(struct.pack("<i", len(text)) + text + body)

    def receive(self):
        length = struct.unpack("<i", self._read(4))[0]
        frame = Frame(json.loads(self._read(length)))
        frame.body = self._read(frame.get("size", 0))
        return frame

    def call(self, cmd, body=b"", **keys):
        self.send({"cmd": cmd, **keys}, body)
        answer = self.receive()
        if not answer["ok"]:
            raise Refused(answer["error"])
        return answer

    def login(self, user, password):
        return self.call("login", user=user, password=password)["token"]

    def put(self, path, data, offset=0, **keys):
        """Resumes with offset: only what follows it is sent, and the hash is that of the whole."""
        keys.setdefault("hash", {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()})
        rest = memoryview(data)[offset:]
        return self.call("put", rest, path=path, total=len(data), offset=offset, size=len(rest), **keys)

    def get(self, path, **keys):
        data = self.call("get", path=path, hash="sha256", **keys).body
        expected = self.receive()["hash"]["value"]
        if not keys and hashlib.sha256(data).hexdigest() != expected:
            raise OSError(f"{path} was damaged on its way")
        return data

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self, count):
        data = self.stream.read(count)
        if len(data) != count:
            raise EOFError("the hub closed the connection")
        return data
