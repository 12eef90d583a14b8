"""A transfer that broke goes on where it stopped, whoever broke it; a source that changed begins anew."""
import hashlib
import random
import socket
import struct
import unittest
from pathlib import Path

from command_line import CommandLine
from hawser_client import Refused
from hub import PATIENCE, Hub, HubTestCase, eventually, kill_hard, scaled
from relay import Relay

MIB = 1 << 20


def content(size, seed=0):
    return random.Random(seed).randbytes(size)


def hash_of(data):
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def begin_put(connection, path, data, sent, offset=0, **keys):
    """Sends a put and only this much of its body."""
    header = {"cmd": "put", "path": path, "total": len(data), "offset": offset, "size": len(data) - offset,
              "hash": hash_of(data), **keys}
    connection.send(header)
    connection.socket.sendall(data[offset:offset + sent])


def reset(connection):
    """Ends the connection as a crash of the machine behind it would: without a word of good-bye."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def offset_of(connection, path, data):
    return connection.call("offset", path=path, total=len(data), hash=hash_of(data))["offset"]


class BrokenPut(HubTestCase):
    def test_cut_anywhere_it_goes_on_from_what_is_safe(self):
        _, token = self.new_user()
        hub = self.connect(token)
        chance = random.Random(1)
        data = content(3 * MIB + 17)
        for round_ in range(scaled(20, 6)):
            path = f"file-{round_}"
            sent = chance.choice([0, 1, 100, 65536, len(data) - 1, chance.randrange(len(data))])
            broken = self.hub.connect(token)
            begin_put(broken, path, data, sent)
            (reset if round_ % 2 else type(broken).close)(broken)
            safe = offset_of(hub, path, data)
            self.assertLessEqual(safe, sent)
            self.assert_refused("not_found", "stat", path=path, on=hub)
            self.assertEqual(hash_of(data), self.resumed(hub, path, data)["hash"])
            self.assertEqual(data, hub.get(path))

    def resumed(self, hub, path, data):
        """The earlier connection may still be writing: then what we said about offsets is out of date."""
        def attempt():
            try:
                return hub.put(path, data, offset=offset_of(hub, path, data))
            except Refused as refused:
                self.assertIn(refused.code, ("conflict", "busy"))
                return None
        return eventually(attempt, "the put goes on")

    def test_what_was_received_is_not_sent_again(self):
        _, token = self.new_user()
        hub = self.connect(token)
        data = content(4 * MIB)
        broken = self.connect(token)
        begin_put(broken, "big", data, 3 * MIB)
        broken.close()
        eventually(lambda: offset_of(hub, "big", data) == 3 * MIB, "all that was sent is safe")
        hub.put("big", data, offset=3 * MIB)
        self.assertEqual(data, hub.get("big"))

    def test_a_broken_put_shows_nothing_and_leaves_the_old_file(self):
        _, token = self.new_user()
        hub = self.connect(token)
        hub.put("a", b"old")
        data = content(2 * MIB)
        broken = self.connect(token)
        begin_put(broken, "a", data, MIB)
        eventually(lambda: offset_of(hub, "a", data) > 0, "something arrived")
        self.assertEqual(b"old", hub.get("a"))
        broken.close()
        self.assertEqual(["a"], [entry["name"] for entry in hub.call("list", path=".", recursive=True)["entries"]])

    def test_a_changed_source_begins_anew(self):
        _, token = self.new_user()
        hub = self.connect(token)
        data = content(2 * MIB)
        broken = self.connect(token)
        begin_put(broken, "a", data, MIB)
        broken.close()
        eventually(lambda: offset_of(hub, "a", data) > 0, "something arrived")
        changed = content(2 * MIB, seed=2)
        self.assertEqual(0, offset_of(hub, "a", changed), "another hash")
        self.assertEqual(0, offset_of(hub, "a", data + b"x"), "another size")
        self.assertEqual(0, offset_of(hub, "b", data), "another name")
        self.assertEqual(0, hub.call("offset", path="a", total=len(data))["offset"], "no hash to know it by")
        self.assertEqual(0, self.signed_in().call("offset", path="a", total=len(data), hash=hash_of(data))["offset"])
        hub.put("a", changed)
        self.assertEqual(changed, hub.get("a"))

    def test_what_is_glued_together_wrongly_never_gets_the_name(self):
        """A client that lies about what it sent before: the hash of the whole finds it out."""
        _, token = self.new_user()
        hub = self.connect(token)
        data = content(2 * MIB)
        broken = self.connect(token)
        begin_put(broken, "a", b"\0" * len(data), MIB, hash=hash_of(data))
        broken.close()
        safe = eventually(lambda: offset_of(hub, "a", data), "something arrived")
        with self.assertRaisesRegex(Refused, "hash_mismatch"):
            hub.put("a", data, offset=safe)
        self.assert_refused("not_found", "stat", path="a", on=hub)
        self.assertEqual(0, offset_of(hub, "a", data))
        hub.put("a", data)

    def test_the_other_direction_goes_on_by_offset(self):
        _, token = self.new_user()
        data = content(3 * MIB)
        self.connect(token).put("a", data)
        broken = self.connect(token)
        broken.send({"cmd": "get", "path": "a"})
        header = struct.unpack("<i", broken.stream.read(4))[0]
        broken.stream.read(header)
        begun = broken.stream.read(MIB)
        reset(broken)
        self.assertEqual(data, begun + self.connect(token).get("a", offset=len(begun)))


class KilledHub(unittest.TestCase):
    def test_what_was_safe_before_is_safe_after(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        token = hub.new_user("anna")
        data = content(4 * MIB)
        for round_ in range(scaled(8, 3)):
            sent = random.Random(round_).randrange(2 * MIB, len(data))
            path = f"file-{round_}"
            with hub.connect(token) as broken, hub.connect(token) as watcher:
                begin_put(broken, path, data, sent)
                # What is worth a write reaches the disk within a second or two; what the hub calls safe must stay safe.
                safe = eventually(lambda: offset_of(watcher, path, data) >= sent - MIB and offset_of(watcher, path, data),
                                  "most of what was sent is safe")
                hub.restart()
            with hub.connect(token) as connection:
                resumed = offset_of(connection, path, data)
                self.assertTrue(safe <= resumed <= sent, (safe, resumed, sent))
                connection.put(path, data, offset=resumed)
                self.assertEqual(data, connection.get(path))


class ThroughARelay(unittest.TestCase):
    """The command line on one side, the hub on the other, the relay stopping the flow in the middle."""

    SIZE = 24 * MIB

    def setUp(self):
        self.hub = Hub()
        self.addCleanup(self.hub.remove)
        self.relay = Relay(lambda: (self.hub.host, self.hub.port))
        self.addCleanup(self.relay.close)
        self.cli = CommandLine(self.relay.address, "anna")
        self.addCleanup(self.cli.remove)
        self.cli.sign_in(register=True)
        self.data = content(self.SIZE)
        self.source = self.cli.here / "big"

    def start_and_stall(self, *arguments, **limit):
        self.relay.stall_after(**limit)
        process = self.cli.start(*arguments)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(self.relay.stalled.wait(PATIENCE), "the transfer ended early")
        return process

    def wait_until_kept(self, folder):
        """What the relay has passed on may still lie in sockets, where a kill loses it and nobody counts it as safe."""
        eventually(lambda: any(file.stat().st_size >= 14 * MIB for file in Path(folder).rglob("*") if file.is_file()),
                   f"most of the file is below {folder}")

    def stored(self):
        with self.hub.connect() as connection:
            connection.login("anna", "correct horse battery")
            return connection.get("big")

    def test_a_killed_put_goes_on(self):
        self.source.write_bytes(self.data)
        process = self.start_and_stall("put", "big", up=16 * MIB)
        self.wait_until_kept(self.hub.folder)
        kill_hard(process)
        self.relay.cut()
        self.relay.flow()
        self.cli("put", "big")
        self.assertLess(self.relay.passed["up"], 16 * MIB, "it began again from nothing")
        self.assertEqual(self.data, self.stored())

    def test_a_put_of_a_changed_source_begins_anew(self):
        self.source.write_bytes(self.data)
        kill_hard(self.start_and_stall("put", "big", up=16 * MIB))
        self.relay.cut()
        self.relay.flow()
        changed = content(self.SIZE, seed=2)
        self.source.write_bytes(changed)
        self.cli("put", "big")
        self.assertEqual(changed, self.stored())

    def test_a_put_goes_on_after_the_hub_was_killed(self):
        self.source.write_bytes(self.data)
        process = self.start_and_stall("put", "big", up=16 * MIB)
        self.wait_until_kept(self.hub.folder)
        self.hub.kill()
        self.relay.cut()
        kill_hard(process)
        self.hub.start()
        self.relay.flow()
        self.cli("put", "big")
        self.assertLess(self.relay.passed["up"], 16 * MIB, "it began again from nothing")
        self.assertEqual(self.data, self.stored())

    def prepare_get(self):
        self.source.write_bytes(self.data)
        self.cli("put", "big")
        self.source.unlink()
        process = self.start_and_stall("get", "big", down=16 * MIB)
        self.wait_until_kept(self.cli.here)
        return process

    def assert_get_goes_on(self):
        self.assertFalse(self.source.exists(), "half a file under its name")
        self.relay.flow()
        self.cli("get", "big")
        self.assertEqual(self.data, self.source.read_bytes())
        self.assertEqual(["big"], sorted(file.name for file in self.cli.here.iterdir()))

    def test_a_killed_get_goes_on(self):
        kill_hard(self.prepare_get())
        self.relay.cut()
        self.assert_get_goes_on()
        self.assertLess(self.relay.passed["down"], 16 * MIB, "it began again from nothing")

    def test_a_get_goes_on_after_the_hub_was_killed(self):
        process = self.prepare_get()
        self.hub.kill()
        self.relay.cut()
        kill_hard(process)
        self.hub.start()
        self.assert_get_goes_on()
        self.assertLess(self.relay.passed["down"], 16 * MIB, "it began again from nothing")

    def test_a_get_of_a_changed_file_begins_anew(self):
        kill_hard(self.prepare_get())
        self.relay.cut()
        self.data = content(self.SIZE, seed=2)
        with self.hub.connect() as connection:
            connection.login("anna", "correct horse battery")
            connection.put("big", self.data)
        self.assert_get_goes_on()


if __name__ == "__main__":
    unittest.main()
