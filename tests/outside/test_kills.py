"""Two hundred times kill -9 at any moment, hub and clients in turn: what was acknowledged is there, whole."""
import functools
import hashlib
import multiprocessing
import os
import random
import time
import unittest

from hub import Hub, eventually, scaled

KILLS = scaled(200, 40)
SLOTS = 4


def content(slot, version):
    """What belongs into a slot at a version: told by the two alone, so that any process can check it."""
    chance = random.Random(f"{slot} {version}")
    size = chance.choice([0, 1, 1000, 70_000, 70_000, 300_000, 2_000_000])
    return f"{slot} {version} ".encode() + chance.randbytes(size)


@functools.cache
def digest(slot, version):
    return hashlib.sha256(content(slot, version)).hexdigest()


def put_until_the_end(where, token, slots, versions, acknowledged):
    """A client: new versions into its slots, each answer noted in shared memory before the next begins."""
    host, port, pin = where
    from hawser_client import Connection
    try:
        with Connection(host, port, pin) as connection:
            connection.call("resume", token=token)
            while True:
                for slot in slots:
                    data = content(slot, versions[slot] + 1)
                    versions[slot] += 1
                    connection.put(f"slot-{slot}", data)
                    acknowledged[slot] = versions[slot]
    except (OSError, EOFError):
        pass  # the hub was killed


class Kills(unittest.TestCase):
    def setUp(self):
        self.hub = Hub(plain=True)
        self.addCleanup(self.hub.remove)
        self.listening = self.sockets()
        self.token = self.hub.new_user("anna")
        # Shared with the clients, so that it outlives their being killed.
        self.versions = multiprocessing.RawArray("q", SLOTS)
        self.acknowledged = multiprocessing.RawArray("q", SLOTS)

    def sockets(self):
        folder = f"/proc/{self.hub.process.pid}/fd"
        targets = []
        for entry in os.listdir(folder):
            try:
                targets.append(os.readlink(f"{folder}/{entry}"))
            except FileNotFoundError:
                pass
        return sum(target.startswith("socket:") for target in targets)

    def check(self):
        """Each slot holds its last acknowledged version, or the one after it if that was on its way."""
        with self.hub.connect(self.token) as connection:
            listed = {entry["name"] for entry in connection.call("list", path=".", recursive=True)["entries"]}
            self.assertLessEqual(listed, {f"slot-{slot}" for slot in range(SLOTS)}, "something half-written shows")
            for slot in range(SLOTS):
                safe, begun = self.acknowledged[slot], self.versions[slot]
                self.assertLessEqual(begun - safe, 1)
                allowed = {digest(slot, version): version for version in {safe, begun} if version > 0}
                if f"slot-{slot}" not in listed:
                    self.assertEqual(0, safe, f"slot {slot} lost version {safe}")
                    continue
                found = hashlib.sha256(connection.get(f"slot-{slot}")).hexdigest()
                self.assertIn(found, allowed, f"slot {slot} holds neither version {safe} nor {begun}")
                # What got its name but not its answer counts from now on.
                self.versions[slot] = self.acknowledged[slot] = allowed[found]

    def test_no_acknowledged_file_is_lost(self):
        chance = random.Random(os.environ.get("HAWSER_TEST_SEED", "kills"))
        processes = multiprocessing.get_context("fork")
        for kill in range(KILLS):
            where = (self.hub.host, self.hub.port, self.hub.pin)
            clients = [
                processes.Process(target=put_until_the_end,
                                  args=(where, self.token, slots, self.versions, self.acknowledged))
                for slots in ((0, 1), (2, 3))
            ]
            before = sum(self.acknowledged)
            for client in clients:
                client.start()
            if kill % 4 == 0:  # let something be acknowledged first: kills of a hub that does nothing prove little
                while sum(self.acknowledged) == before and all(client.is_alive() for client in clients):
                    time.sleep(0.0005)
            time.sleep(chance.random() * 0.05)
            if kill % 2:
                for client in clients:
                    client.kill()
            else:
                self.hub.process.kill()
            for client in clients:
                client.join()
            if kill % 2:  # what a dead client had sent whole may still get its name: that is no loss, but wait for it
                eventually(lambda: self.sockets() == self.listening, "the hub has let go of its dead clients")
            else:
                self.hub.restart()
            self.check()
        self.assertGreater(sum(self.acknowledged), KILLS // 4, "too few puts to mean anything")


if __name__ == "__main__":
    unittest.main()
