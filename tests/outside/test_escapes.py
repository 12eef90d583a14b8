"""Nothing leaves a home: no text, no link, no race; and nothing special is ever opened."""
import os
import socket
import threading
import unittest

from hawser_client import Refused
from hub import HubTestCase, scaled


def names(answer):
    return sorted(entry["name"] for entry in answer["entries"])


class Escapes(HubTestCase):
    OUTSIDE = ("..", "../", "../x", "a/../../x", "a/..", "a/../b", "./..", "../../../../../../etc/passwd", "/",
               "/etc/passwd", "//etc/passwd", "/tmp", "a\0b", "\0", "a\nb", "a\rb", "\x1b[2J", "a\x7f", "tab\there")

    def assert_closed(self, path, code="forbidden"):
        hub = self.connection
        for command, keys in (("list", {}), ("stat", {}), ("mkdir", {}), ("mkdir", {"parents": True}), ("remove", {}),
                              ("remove", {"recursive": True}), ("sum", {"algorithm": "md5"}), ("offset", {"total": 1}),
                              ("get", {})):
            with self.subTest(command=command, path=path):
                self.assert_refused(code, command, path=path, on=hub, **keys)
        with self.subTest(path=path):
            self.assert_refused(code, "put", b"x", path=path, total=1, on=hub)
            self.assert_refused(code, "move", **{"from": "mine", "to": path}, on=hub)
            self.assert_refused(code, "move", **{"from": path, "to": "stolen"}, on=hub)

    def setUp(self):
        name, token = self.new_user()
        self.connection = self.connect(token)
        self.home = self.hub.home(name)
        self.outside = self.hub.folder / f"outside-{name}"
        self.outside.mkdir()
        (self.outside / "secret").write_text("not yours")
        self.connection.put("mine", b"mine")
        self.connection.call("mkdir", path="a")

    def assert_outside_untouched(self):
        self.assertEqual(["secret"], os.listdir(self.outside))
        self.assertEqual("not yours", (self.outside / "secret").read_text())
        self.assertEqual(b"mine", self.connection.get("mine"))

    def test_no_text_leads_out(self):
        for path in self.OUTSIDE:
            self.assert_closed(path)
        self.assertEqual(["a", "mine"], names(self.connection.call("list", path=".", recursive=True)))

    def test_no_link_in_the_middle_leads_out(self):
        (self.home / "absolute").symlink_to(self.outside)
        (self.home / "relative").symlink_to(os.path.relpath(self.outside, self.home))
        (self.home / "a/up").symlink_to("../..")
        (self.home / "twice").symlink_to("absolute")
        (self.home / "proc").symlink_to("/proc/self/root")
        for link in ("absolute", "relative", "a/up", "twice", "a/../absolute", "proc"):
            self.assert_closed(f"{link}/secret")
        self.assert_outside_untouched()

    def test_no_link_at_the_end_is_followed_out(self):
        (self.home / "file").symlink_to(self.outside / "secret")
        (self.home / "dir").symlink_to(self.outside)
        (self.home / "dangling").symlink_to(self.outside / "new")
        hub = self.connection
        for link in ("file", "dir", "dangling"):
            for command, keys in (("get", {}), ("sum", {"algorithm": "md5"}), ("list", {})):
                self.assert_refused("forbidden", command, path=link, on=hub, **keys)
        listed = {entry["name"]: entry["type"] for entry in hub.call("list", path=".", recursive=True)["entries"]}
        self.assertEqual({"a": "dir", "mine": "file", "file": "link", "dir": "link", "dangling": "link"}, listed)
        for link in ("file", "dangling"):  # a put may replace the link or refuse; it never writes through it
            try:
                hub.put(link, b"pwned")
                self.assertFalse((self.home / link).is_symlink())
            except Refused as refused:
                self.assertEqual("forbidden", refused.code)
        self.assert_outside_untouched()

    def test_links_are_removed_and_moved_themselves(self):
        (self.home / "dir").symlink_to(self.outside)
        (self.home / "a/dir").symlink_to(self.outside)
        (self.home / "a/file").symlink_to(self.outside / "secret")
        hub = self.connection
        hub.call("move", **{"from": "dir", "to": "moved"})
        self.assertTrue((self.home / "moved").is_symlink())
        hub.call("remove", path="moved", recursive=True)
        hub.call("remove", path="a", recursive=True)
        self.assertEqual(["mine"], names(hub.call("list", path=".")))
        self.assert_outside_untouched()

    def test_links_that_stay_inside_work(self):
        self.connection.put("a/file", b"inside")
        (self.home / "link").symlink_to("a/file")
        (self.home / "way").symlink_to("a")
        self.assertEqual(b"inside", self.connection.get("link"))
        self.assertEqual(b"inside", self.connection.get("way/file"))

    def test_a_link_that_turns_round_never_shows_the_outside(self):
        """The classic race: a name that is a directory at one look and a link at the next."""
        (self.home / "spin").mkdir()
        (self.home / "spin/secret").write_text("mine too")
        stop = threading.Event()

        def turn():
            os.symlink(self.outside, self.home / "other")
            while not stop.is_set():
                for one, two in (("spin", "kept"), ("other", "spin"), ("spin", "other"), ("kept", "spin")):
                    os.rename(self.home / one, self.home / two)

        thread = threading.Thread(target=turn)
        thread.start()
        try:
            for number in range(scaled(400, 100)):
                try:
                    self.assertEqual(b"mine too", self.connection.call("get", path="spin/secret").body)
                except Refused as refused:
                    self.assertIn(refused.code, ("forbidden", "not_found", "conflict"))
                try:
                    self.connection.put("spin/new", b"x")
                except Refused as refused:
                    self.assertIn(refused.code, ("forbidden", "not_found", "conflict"))
        finally:
            stop.set()
            thread.join()
        self.assert_outside_untouched()

    def test_users_do_not_see_each_other(self):
        other, token = self.new_user()
        self.connect(token).put("theirs", b"theirs")
        for path in ("theirs", f"../{other}/theirs", other):
            self.assert_refused(("not_found", "forbidden"), "get", path=path, on=self.connection)


class SpecialFiles(HubTestCase):
    def test_they_are_never_waited_for(self):
        name, token = self.new_user()
        hub = self.connect(token)
        home = self.hub.home(name)
        os.mkfifo(home / "pipe")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        here = os.open(home, os.O_PATH)
        listener.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        for path in ("pipe", "socket"):
            self.assert_refused("forbidden", "get", path=path, on=hub)
            self.assert_refused("forbidden", "sum", path=path, algorithm="sha256", on=hub)
        hub.put("file", b"x")
        listed = {entry["name"]: entry["type"] for entry in hub.call("list", path=".")["entries"]}
        self.assertEqual("file", listed["file"])
        self.assertNotEqual("file", listed.get("pipe"))
        hub.call("remove", path="pipe")
        hub.call("ping")


if __name__ == "__main__":
    unittest.main()
