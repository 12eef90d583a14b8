"""gevent: a greenlet a connection.   echo_gevent.py PORT [frames]"""
import json
import struct
import sys

import gevent
from gevent import socket


def echo(peer):
    with peer:
        while data := peer.recv(65536):
            peer.sendall(data)


def exactly(peer, size):
    parts = []
    while size:
        part = peer.recv(min(size, 65536))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def frames(peer):
    """4-byte little-endian length, a JSON header with "size", a body; the same comes back."""
    with peer:
        try:
            while True:
                header = json.loads(exactly(peer, struct.unpack("<I", exactly(peer, 4))[0]))
                body = exactly(peer, header["size"])
                answer = json.dumps({"size": len(body)}).encode()
                peer.sendall(struct.pack("<I", len(answer)) + answer + body)
        except (EOFError, OSError):
            pass


def main():
    handler = frames if sys.argv[2:] == ["frames"] else echo
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen(4096)
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gevent.spawn(handler, peer)


main()
