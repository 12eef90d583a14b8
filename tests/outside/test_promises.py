"""Where little is allowed, the hub does its work all the same: few descriptors, no privileges, one core."""
import contextlib
import os
import resource
import shutil
import socket
import unittest
from pathlib import Path

from hub import Hub, eventually, scaled
from test_run import run


def do_some_of_everything(test, hub, token):
    with hub.connect(token) as connection:
        data = os.urandom(2_000_000)
        connection.put("file", data)
        test.assertEqual(data, connection.get("file"))
        connection.call("mkdir", path="a/b", parents=True)
        connection.call("move", **{"from": "file", "to": "a/b/file"})
        test.assertEqual({"exit": 3}, run(connection, "sh", "-c", "exit 3"))
        test.assertEqual(data, run(connection, "cat", "a/b/file").out)
        connection.call("remove", path="a", recursive=True)


class Promises(unittest.TestCase):
    def hub_under(self, **popen):
        hub = Hub("--allow-run", "admins", **popen)
        self.addCleanup(hub.remove)
        return hub, hub.new_admin()

    def test_256_descriptors(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        hub, token = self.hub_under(preexec_fn=limit)
        do_some_of_everything(self, hub, token)
        with hub.connect(token) as early:
            crowd = []
            for _ in range(400):
                sock = socket.create_connection((hub.host, hub.port))
                self.addCleanup(sock.close)
                crowd.append(sock)
            early.put("in the crowd", b"still served")
            self.assertEqual(b"still served", early.get("in the crowd"))
            for sock in crowd:
                sock.close()
        do_some_of_everything(self, hub, token)

    def test_a_soft_limit_is_raised_to_what_is_allowed(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        hub, token = self.hub_under(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)))
        crowd = [hub.connect() for _ in range(80)]
        for connection in crowd:
            self.addCleanup(connection.close)
            connection.call("ping")
        do_some_of_everything(self, hub, token)

    def test_without_privileges(self):
        if os.geteuid() != 0:
            hub, token = self.hub_under()
        else:
            # The folder is made by us and given away: the hub itself is nobody from its first instruction on. It has
            # the program in it, for the build may lie where only root can go.
            class Nobodys(Hub):
                def start(self):
                    self.binary = shutil.copy(self.binary, self.folder)
                    shutil.chown(self.folder, 65534, 65534)
                    super().start()

            hub = Nobodys("--allow-run", "admins", user=65534, group=65534, extra_groups=[])
            self.addCleanup(hub.remove)
            token = hub.new_admin()
        do_some_of_everything(self, hub, token)
        with hub.connect(token) as connection:
            self.assertNotEqual(b"0\n", run(connection, "id", "-u").out)

    def test_one_core(self):
        core = min(os.sched_getaffinity(0))
        hub, token = self.hub_under(preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        do_some_of_everything(self, hub, token)
        # Work that keeps the core busy does not shut others out.
        with hub.connect(token) as busy, hub.connect(token) as other:
            busy.call("run", argv=["cat", "/dev/zero"])
            for _ in range(scaled(20, 5)):
                other.call("ping")
                other.put("x", b"x" * 10_000)

    def test_the_epoll_engine(self):
        hub, token = self.hub_under(env={"HAWSER_ENGINE": "epoll"})
        do_some_of_everything(self, hub, token)

    def test_nothing_is_left_behind_in_the_process_table(self):
        hub, token = self.hub_under()
        with hub.connect(token) as connection:
            for _ in range(30):
                run(connection, "true")

        def children():
            found = []
            for file in Path(f"/proc/{hub.process.pid}/task").glob("*/children"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                    found += file.read_text().split()
            return found

        eventually(lambda: not children(), "no zombies")


if __name__ == "__main__":
    unittest.main()
