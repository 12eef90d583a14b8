"""A relay between a client and a hub that counts what passes and, when told to, passes no more.

It makes "in the middle of a transfer" a place instead of a moment: the flow stops after so many bytes, both sides
wait, and the test kills whom it likes.
"""
import socket
import threading


class Relay:
    """target is a function: where a new connection leads, since a hub that starts again has another port."""

    def __init__(self, target):
        self.target = target
        self.limits = {"up": None, "down": None}
        self.passed = {"up": 0, "down": 0}
        self.stalled = threading.Event()
        self._changed = threading.Condition()
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stall_after(self, **limits):
        """stall_after(up=n): n more bytes pass from client to hub, then nothing; stalled tells when."""
        with self._changed:
            self.passed = {"up": 0, "down": 0}
            self.limits = {"up": None, "down": None} | limits
            self.stalled.clear()
            self._changed.notify_all()

    def flow(self):
        """From now on everything passes; counts from zero."""
        self.stall_after()

    def cut(self):
        """Ends all connections that there are."""
        with self._changed:
            sockets, self._sockets = self._sockets, []
            self._changed.notify_all()
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.close()
        self.cut()
        self.flow()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client):
        """One connection, both ways, to its end."""
        with client:
            try:
                hub = socket.create_connection(self.target())
            except OSError:
                return
            with hub:
                with self._changed:
                    self._sockets += [client, hub]
                answers = threading.Thread(target=self._pass, args=(hub, client, "down"), daemon=True)
                answers.start()
                self._pass(client, hub, "up")
                answers.join()
                with self._changed:
                    self._sockets = [sock for sock in self._sockets if sock not in (client, hub)]

    def _may_pass(self, source, wanted, way):
        """How many bytes may pass now; waits while it is none. 0: the connection was cut."""
        with self._changed:
            while True:
                if source not in self._sockets:
                    return 0
                limit = self.limits[way]
                allowed = wanted if limit is None else min(wanted, limit - self.passed[way])
                if allowed > 0:
                    return allowed
                self.stalled.set()
                self._changed.wait()

    def _pass(self, source, sink, way):
        try:
            while data := source.recv(1 << 16):
                while data:
                    allowed = self._may_pass(source, len(data), way)
                    if allowed == 0:
                        return
                    sink.sendall(data[:allowed])
                    with self._changed:
                        self.passed[way] += allowed
                    data = data[allowed:]
        except OSError:
            pass
        finally:
            for sock in (source, sink):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
