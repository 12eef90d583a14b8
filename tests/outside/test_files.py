"""Files in a home: what goes in comes out, and what is refused leaves no trace."""
import hashlib
import random
import threading
import unittest

from hawser_client import Refused
from hub import HubTestCase, scaled

KIB, MIB = 1 << 10, 1 << 20
EDGES = [size + more for size in (64 * KIB, MIB) for more in (-1, 0, 1)]


def content(size, seed=0):
    return random.Random(seed).randbytes(size)


def sha256(data):
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def names(answer):
    return sorted(entry["name"] for entry in answer["entries"])


class PutAndGet(HubTestCase):
    def test_every_size_comes_back_as_it_went(self):
        hub = self.signed_in()
        for size in (0, 1, 2, 4095, 4096, 4097, *EDGES, 5 * MIB + 3):
            with self.subTest(size=size):
                data = content(size)
                answer = hub.put("file", data)
                self.assertEqual(sha256(data), answer["hash"])
                self.assertEqual(data, hub.get("file"))
                self.assertEqual(size, hub.call("stat", path="file")["entry"]["size"])

    def test_a_put_without_a_hash_is_taken_and_hashed(self):
        hub = self.signed_in()
        answer = hub.call("put", b"hello", path="a", total=5)
        self.assertEqual("xxh3-128", answer["hash"]["algorithm"])
        self.assertRegex(answer["hash"]["value"], "^[0-9a-f]{32}$")
        self.assertEqual(b"hello", hub.get("a"))

    def test_each_hash_is_checked_and_told(self):
        hub = self.signed_in()
        data = content(100_000)
        md5 = {"algorithm": "md5", "value": hashlib.md5(data).hexdigest()}
        self.assertEqual(md5, hub.put("a", data, hash=md5)["hash"])
        self.assertEqual(md5, hub.call("sum", path="a", algorithm="md5")["hash"])
        self.assertEqual(sha256(data), hub.call("sum", path="a", algorithm="sha256")["hash"])
        fast = hub.call("sum", path="a", algorithm="xxh3-128")["hash"]
        self.assertEqual(fast, hub.put("b", data, hash=fast)["hash"])
        empty = hub.call("put", path="empty", total=0, size=0)["hash"]
        self.assertEqual("99aa06d3014798d86001c324468d497f", empty["value"])  # XXH3-128 of nothing

    def test_names_are_any_unicode(self):
        hub = self.signed_in()
        odd = ["sp ace", " lead", "trail ", "ü", "u\u0308", "日本語", "🚀.bin", "a\\b", "-rf", "'\"`$(x)", "%2e%2e", "...",
               "a:b", "x" * 255, "ä" * 127, ".hidden", "~", "*?[]"]
        for name in odd:
            hub.put(name, name.encode())
        self.assertEqual(sorted(odd), names(hub.call("list", path=".")))
        for name in odd:
            self.assertEqual(name.encode(), hub.get(name))

    def test_names_that_no_file_system_takes_are_refused(self):
        hub = self.signed_in()
        for name in ("", ".", "x" * 256, "a/" * 3000 + "b", "dir/"):
            with self.subTest(name[:20]):
                with self.assertRaises(Refused) as refused:
                    hub.put(name, b"x")
                self.assertNotEqual("internal", refused.exception.code)
        self.assertEqual([], hub.call("list", path=".")["entries"])

    def test_mode_and_time_are_kept(self):
        hub = self.signed_in()
        hub.put("a", b"x", mtime=1_000_000_000, mode=0o750)
        entry = hub.call("stat", path="a")["entry"]
        self.assertEqual((1_000_000_000, 0o750), (entry["mtime"], entry["mode"]))
        answer = hub.call("get", path="a")
        self.assertEqual((1_000_000_000, 0o750), (answer["mtime"], answer["mode"]))

    def test_set_id_bits_are_never_set(self):
        hub = self.signed_in()
        try:
            hub.put("a", b"x", mode=0o6755)
        except Refused:
            return
        self.assertEqual(0, hub.call("stat", path="a")["entry"]["mode"] & 0o7000)

    def test_get_takes_a_part(self):
        hub = self.signed_in()
        data = content(300_000)
        hub.put("a", data)
        for offset, length in ((0, 10), (0, 0), (1, 1), (65_536, 65_536), (299_999, 1), (299_990, 1000), (300_000, 5),
                               (100, None), (300_000, None)):
            with self.subTest(offset=offset, length=length):
                keys = {"offset": offset} | ({} if length is None else {"length": length})
                answer = hub.call("get", path="a", **keys)
                expected = data[offset:] if length is None else data[offset:offset + length]
                self.assertEqual(expected, answer.body)
                self.assertEqual((len(expected), len(data)), (answer.get("size", 0), answer["total"]))
        self.assertEqual(data[7:12], hub.get("a", offset=7, length=5))
        hub.send({"cmd": "get", "path": "a", "offset": 7, "length": 5, "hash": "sha256", "id": "part"})
        hub.receive()
        last = hub.receive()
        self.assertEqual((sha256(data), "part"), (last["hash"], last["id"]), "the hash is that of the whole")

    def test_beyond_the_end_is_refused(self):
        hub = self.signed_in()
        hub.put("a", b"hello")
        self.assert_refused("bad_request", "get", path="a", offset=6, on=hub)
        self.assert_refused("bad_request", "get", path="a", offset=2**63, on=hub)

    def test_a_put_replaces(self):
        hub = self.signed_in()
        hub.put("a", content(MIB))
        hub.put("a", b"short")
        self.assertEqual(b"short", hub.get("a"))
        self.assertEqual(5, hub.call("stat", path="a")["entry"]["size"])

    def test_a_reader_sees_the_old_or_the_new_and_never_a_mixture(self):
        _, token = self.new_user()
        versions = [bytes([number]) * (200_000 + number) for number in range(2)]
        reader = self.connect(token)
        self.connect(token).put("a", versions[0])
        stop = threading.Event()

        def write():
            with self.hub.connect(token) as writer:
                number = 0
                while not stop.is_set():
                    number += 1
                    writer.put("a", versions[number % 2])

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(scaled(100, 30)):
                try:
                    self.assertIn(reader.call("get", path="a").body, versions)
                except Refused as refused:
                    self.assertEqual("conflict", refused.code)
        finally:
            stop.set()
            thread.join()


class RefusedPuts(HubTestCase):
    def setUp(self):
        self.connection = self.signed_in()
        self.connection.put("a", b"the old content")

    def assert_untouched(self):
        self.assertEqual(b"the old content", self.connection.get("a"))
        self.assertEqual(["a"], names(self.connection.call("list", path=".", recursive=True)))

    def test_a_wrong_hash_leaves_the_old_file(self):
        wrong = {"algorithm": "sha256", "value": "0" * 64}
        for size in (0, 5, 3 * MIB):
            for path in ("a", "b"):
                self.assert_refused("hash_mismatch", "put", bytes(size), path=path, total=size, hash=wrong,
                                    on=self.connection, size=size)
        self.assertEqual(0, self.connection.call("offset", path="b", total=3 * MIB, hash=wrong)["offset"])
        self.assert_untouched()

    def test_a_hash_that_is_none_is_refused(self):
        for bad in ({"algorithm": "crc32", "value": "00000000"}, {"algorithm": "md5", "value": "xyz"},
                    {"algorithm": "sha256", "value": "0" * 63}, {"algorithm": "sha256"}, {"value": "0" * 64},
                    "0" * 64, []):
            with self.subTest(hash=bad):
                self.assert_refused("bad_request", "put", b"x", path="b", total=1, hash=bad, on=self.connection)
        self.assert_untouched()

    def test_size_must_be_what_is_left_of_total(self):
        for total, offset in ((4, 0), (6, 0), (0, 0), (5, 1), (2**63 - 1, 0), (5, 5)):
            with self.subTest(total=total, offset=offset):
                self.assert_refused("bad_request", "put", b"hello", path="b", total=total, offset=offset,
                                    on=self.connection)
        for key, value in (("total", -1), ("total", "5"), ("total", 5.0), ("total", 2**63), ("total", None),
                           ("offset", -1), ("offset", 0.5), ("offset", 2**64)):
            with self.subTest(key=key, value=value):
                keys = {"total": 5, "offset": 0} | {key: value}
                self.assert_refused("bad_request", "put", b"hello", path="b", on=self.connection, **keys)
        self.assert_untouched()

    def test_an_offset_that_was_never_reached_is_a_conflict(self):
        self.assert_refused("conflict", "put", b"lo", path="b", total=5, offset=3, hash=sha256(b"hello"),
                            on=self.connection)
        self.assert_untouched()

    def test_a_place_that_cannot_be_is_refused(self):
        hub = self.connection
        hub.call("mkdir", path="dir")
        self.assert_refused(("conflict", "exists"), "put", b"x", path="dir", total=1, on=hub)
        self.assert_refused("conflict", "put", b"x", path="a/b", total=1, on=hub)
        self.assert_refused("not_found", "put", b"x", path="no/such/dir/b", total=1, on=hub)
        hub.call("remove", path="dir")
        self.assert_untouched()

    def test_what_cannot_fit_is_refused_before_it_is_sent(self):
        early = ("too_large", "no_space", "quota_exceeded")
        self.assert_refused(early, "offset", path="b", total=2**62, on=self.connection)
        other = self.signed_in()
        other.send({"cmd": "put", "path": "b", "total": 2**62, "size": 2**62})
        self.assertIn(other.receive()["error"]["code"], early)
        self.assert_untouched()


class Directories(HubTestCase):
    def test_the_life_of_a_directory(self):
        hub = self.signed_in()
        hub.call("mkdir", path="a")
        self.assert_refused("exists", "mkdir", path="a", on=hub)
        self.assert_refused("not_found", "mkdir", path="x/y/z", on=hub)
        hub.call("mkdir", path="x/y/z", parents=True)
        hub.call("mkdir", path="x/y/z", parents=True)
        hub.put("x/y/z/file", b"x")
        self.assert_refused(("conflict", "exists"), "mkdir", path="x/y/z/file", on=hub)
        self.assert_refused("conflict", "mkdir", path="x/y/z/file/deeper", parents=True, on=hub)
        self.assertEqual("dir", hub.call("stat", path="x/y")["entry"]["type"])
        self.assert_refused("conflict", "remove", path="x", on=hub)
        hub.call("remove", path="a")
        hub.call("remove", path="x", recursive=True)
        self.assertEqual([], hub.call("list", path=".")["entries"])

    def test_what_is_not_there_is_not_found(self):
        hub = self.signed_in()
        for command, keys in (("list", {}), ("stat", {}), ("remove", {}), ("remove", {"recursive": True}), ("get", {}),
                              ("sum", {"algorithm": "md5"})):
            for path in ("none", "none/deeper"):
                self.assert_refused("not_found", command, path=path, on=hub, **keys)
        self.assert_refused("not_found", "move", **{"from": "none", "to": "b"}, on=hub)

    def test_the_home_itself_stays(self):
        hub = self.signed_in()
        hub.put("a", b"x")
        for path in (".", "", "./"):
            self.assertEqual("dir", hub.call("stat", path=path)["entry"]["type"])
            self.assert_refused(("forbidden", "bad_request", "conflict"), "remove", path=path, recursive=True, on=hub)
        self.assert_refused(("forbidden", "bad_request", "conflict"), "move", **{"from": ".", "to": "b"}, on=hub)
        self.assertEqual(["a"], names(hub.call("list", path=".")))

    def test_a_directory_is_no_file(self):
        hub = self.signed_in()
        hub.call("mkdir", path="d")
        self.assert_refused(("conflict", "bad_request"), "get", path="d", on=hub)
        self.assert_refused(("conflict", "bad_request"), "sum", path="d", algorithm="md5", on=hub)

    def test_move_renames_and_never_replaces(self):
        hub = self.signed_in()
        hub.put("a", b"A")
        hub.put("b", b"B")
        hub.call("mkdir", path="d")
        self.assert_refused("exists", "move", **{"from": "a", "to": "b"}, on=hub)
        self.assert_refused("not_found", "move", **{"from": "a", "to": "no/such"}, on=hub)
        hub.call("move", **{"from": "a", "to": "d/ä"})
        hub.call("move", **{"from": "d", "to": "e"})
        self.assertEqual(b"A", hub.get("e/ä"))
        self.assertEqual(b"B", hub.get("b"))
        with self.assertRaises(Refused) as refused:
            hub.call("move", **{"from": "e", "to": "e/inside"})
        self.assertNotEqual("internal", refused.exception.code)
        self.assertEqual(["b", "e", "e/ä"], names(hub.call("list", path=".", recursive=True)))

    def test_a_listing_says_what_stat_says(self):
        hub = self.signed_in()
        hub.put("a", b"12345", mtime=1_234_567_890, mode=0o600)
        hub.call("mkdir", path="d")
        listed = {entry["name"]: entry for entry in hub.call("list", path=".")["entries"]}
        for name, kind in (("a", "file"), ("d", "dir")):
            told = hub.call("stat", path=name)["entry"]
            for key in ("name", "type", "size", "mtime", "mode"):
                self.assertEqual(told[key], listed[name][key], key)
            self.assertEqual(kind, told["type"])
        self.assertEqual((5, 1_234_567_890, 0o600), tuple(listed["a"][key] for key in ("size", "mtime", "mode")))

    def test_a_large_listing_comes_in_several_frames(self):
        name, token = self.new_user()
        hub = self.connect(token)
        home = self.hub.home(name)
        expected = {f"{'long name ' * 10}{number:05}" for number in range(scaled(5000, 2000))}
        for entry in expected:
            (home / entry).touch()
        for recursive in (False, True):
            hub.send({"cmd": "list", "path": ".", "recursive": recursive, "id": "big"})
            seen, frames, more = [], 0, True
            while more:
                answer = hub.receive()
                self.assertEqual("big", answer["id"])
                frames += 1
                seen += [entry["name"] for entry in answer["entries"]]
                more = answer.get("more", False)
            self.assertGreater(frames, 1)
            self.assertEqual(len(expected), len(seen))
            self.assertEqual(expected, set(seen))
        hub.call("ping")


if __name__ == "__main__":
    unittest.main()
