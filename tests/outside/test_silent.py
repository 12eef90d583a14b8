"""A thousand connections that say nothing, beside one that works."""
import os
import socket
import unittest

from hub import SANITIZED, HubTestCase, eventually, raise_descriptor_limit, scaled

SILENT = 1000


class Silence(HubTestCase):
    @classmethod
    def setUpClass(cls):
        raise_descriptor_limit()
        super().setUpClass()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.hub.process.pid}/fd"))

    def test_a_thousand_silent_connections_hold_up_nobody(self):
        _, token = self.new_user()
        worker = self.connect(token)
        worker.put("warm", bytes(1 << 20))
        worker.get("warm")
        eventually(self.resident_is_steady, "the hub has warmed up")
        descriptors, resident = self.descriptors(), self.hub.resident_kib()

        # Nine in ten never begin a handshake; the others say nothing after it, some with a session.
        silent = []
        for number in range(SILENT):
            if number % 10:
                peer = socket.create_connection((self.hub.host, self.hub.port))
            else:
                peer = self.hub.connect(token if number % 20 else None)
            self.addCleanup(peer.close)
            silent.append(peer)
        eventually(lambda: self.descriptors() >= descriptors + SILENT * 0.95, "all are taken in")
        each = (self.hub.resident_kib() - resident) * 1024 / SILENT
        # A sanitizer keeps a megabyte of its own for each fiber.
        self.assertLess(each, 4 * 1024 * 1024 if SANITIZED else 64 * 1024)

        for number in range(scaled(100, 20)):
            data = os.urandom(number * 1000)
            worker.put(f"file-{number}", data)
            self.assertEqual(data, worker.get(f"file-{number}"))
            worker.call("list", path=".")
        with self.hub.connect(token) as late:
            late.call("ping")

        for peer in silent:
            peer.close()
        eventually(lambda: self.descriptors() <= descriptors + 20, "their descriptors come back")
        worker.call("ping")

    def resident_is_steady(self):
        before = self.hub.resident_kib()
        with self.hub.connect() as connection:
            connection.call("ping")
        return abs(self.hub.resident_kib() - before) < 256


class Draining(HubTestCase):
    """Silent peers do not keep a hub from ending."""

    def test_a_stopping_hub_lets_silent_peers_go(self):
        socks = [socket.create_connection((self.hub.host, self.hub.port)) for _ in range(50)]
        quiet = [self.hub.connect() for _ in range(10)]
        for peer in (*socks, *quiet):
            self.addCleanup(peer.close)
        self.hub.stop()


if __name__ == "__main__":
    unittest.main()
