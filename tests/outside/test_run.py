"""Commands on the hub: streams, signals, time limits, and what happens when the client is gone."""
import os
import threading
import time
import unittest

from hawser_client import Refused
from hub import PATIENCE, Hub, HubTestCase, eventually, group_members, is_alive, scaled


class Ended(dict):
    """How a command ended, and what it wrote."""

    out = err = b""


def finish(connection):
    """Reads a running command's frames up to the last."""
    ended, streams = None, {"stdout": bytearray(), "stderr": bytearray()}
    while ended is None:
        frame = connection.receive()
        if "stream" in frame:
            streams[frame["stream"]] += frame.body
        else:
            ended = Ended(frame)
    ended.out, ended.err = bytes(streams["stdout"]), bytes(streams["stderr"])
    return ended


def feed(connection, data, piece=1 << 16):
    for start in range(0, len(data), piece):
        connection.send({"stream": "stdin"}, data[start:start + piece])
    connection.send({"stream": "stdin", "eof": True})


def run(connection, *argv, stdin=None, **keys):
    connection.call("run", **({"argv": list(argv)} if argv else {}), **keys)
    if stdin is None:
        return finish(connection)
    feeder = threading.Thread(target=feed, args=(connection, stdin))
    feeder.start()
    try:
        return finish(connection)
    finally:
        feeder.join()


class RunTestCase(HubTestCase):
    @classmethod
    def setUpClass(cls):
        # Plain, for a thread writes here while another reads, which Python's SSL objects did not bear before 3.13. The
        # same over TLS is in test_run_cli.
        cls.hub = Hub("--allow-run", "members", plain=True)
        cls.addClassCleanup(cls.hub.remove)

    def setUp(self):
        self.name, self.token = self.new_user()
        self.connection = self.connect(self.token)

    def run_(self, *argv, **keys):
        return run(self.connection, *argv, **keys)


class Ends(RunTestCase):
    def test_exit_codes(self):
        for code in (0, 1, 7, 126, 255):
            self.assertEqual({"exit": code}, self.run_("sh", "-c", f"exit {code}"))

    def test_a_signal_is_told_by_name(self):
        for name in ("SIGKILL", "SIGTERM", "SIGSEGV"):
            self.assertEqual({"signal": name}, self.run_("sh", "-c", f"kill -{name[3:]} $$"))

    def test_the_id_is_in_every_frame(self):
        connection = self.connection
        connection.send({"cmd": "run", "argv": ["echo", "hello"], "id": [1]})
        frames = []
        while not frames or "exit" not in frames[-1]:
            frames.append(connection.receive())
        self.assertGreaterEqual(len(frames), 3)
        self.assertTrue(all(frame["id"] == [1] for frame in frames))
        self.assertIs(frames[0]["ok"], True)
        self.assertIsInstance(frames[0]["pid"], int)

    def test_a_timeout_ends_the_command_and_its_children(self):
        self.connection.call("run", shell="echo $$; sleep 300 & sleep 300", timeout=1)
        ended = finish(self.connection)
        self.assertEqual({"timeout": True}, ended)
        group = int(ended.out)
        eventually(lambda: not group_members(group), "the whole group is gone")
        self.connection.call("ping")

    def test_a_command_within_its_timeout_is_left_alone(self):
        self.assertEqual({"exit": 3}, self.run_("sh", "-c", "exit 3", timeout=PATIENCE))

    def test_what_cannot_start_is_refused(self):
        for argv in (["/no/such/program"], ["no-such-program-at-all"], ["./missing"]):
            self.assert_refused("not_found", "run", argv=argv, on=self.connection)
        self.connection.put("no-program", b"\x7fELF but not really")
        with self.assertRaises(Refused) as refused:
            self.run_("./no-program")
        self.assertNotEqual("internal", refused.exception.code)
        self.connection.call("ping")

    def test_requests_that_make_no_sense_are_refused(self):
        for keys in ({}, {"argv": []}, {"argv": "ls"}, {"argv": [1]}, {"argv": ["a\0b"]}, {"shell": 5},
                     {"shell": "a\0b"}, {"argv": ["true"], "shell": "true"}, {"argv": ["true"], "timeout": -1},
                     {"argv": ["true"], "timeout": "soon"}, {"argv": ["true"], "env": {"A=B": "c"}},
                     {"argv": ["true"], "env": {"A": 1}}, {"argv": ["true"], "env": {"A": "b\0c"}},
                     {"argv": ["true"], "env": ["A=b"]}, {"argv": ["true"], "cwd": 7}):
            with self.subTest(keys=keys):
                self.assert_refused("bad_request", "run", on=self.connection, **keys)
        self.assertEqual({"exit": 0}, self.run_("true"))

    def test_the_next_request_waits_for_the_end(self):
        self.connection.send({"cmd": "run", "shell": "sleep 0.2; echo done", "id": "run"})
        self.connection.send({"cmd": "ping", "id": "ping"})
        self.assertEqual("run", self.connection.receive()["id"])
        self.assertEqual(b"done\n", finish(self.connection).out)
        self.assertEqual({"id": "ping", "ok": True}, self.connection.receive())

    def test_input_that_comes_too_late_is_dropped(self):
        self.assertEqual({"exit": 0}, self.run_("true"))
        self.connection.send({"stream": "stdin"}, b"too late")
        self.connection.send({"stream": "stdin", "eof": True})
        self.connection.send({"signal": "SIGINT"})
        self.assertEqual({"id": 1, "ok": True}, self.connection.call("ping", id=1))

    def test_many_commands_one_after_the_other(self):
        for number in range(scaled(100, 20)):
            self.assertEqual(f"{number}\n".encode(), self.run_("echo", str(number)).out)

    def test_commands_side_by_side(self):
        connections = [self.connect(self.token) for _ in range(10)]
        for number, connection in enumerate(connections):
            connection.call("run", shell=f"sleep 0.1; echo {number}; exit {number}")
        for number, connection in enumerate(connections):
            ended = finish(connection)
            self.assertEqual(({"exit": number}, f"{number}\n".encode()), (ended, ended.out))


class Streams(RunTestCase):
    def test_stdout_and_stderr_come_apart(self):
        ended = self.run_(shell="echo to out; echo to err >&2")
        self.assertEqual((b"to out\n", b"to err\n"), (ended.out, ended.err))

    def test_each_stream_keeps_its_order(self):
        lines = scaled(2000, 300)
        ended = self.run_(shell=f"for i in $(seq {lines}); do echo out $i; echo err $i >&2; done")
        self.assertEqual([f"out {number + 1}" for number in range(lines)], ended.out.decode().splitlines())
        self.assertEqual([f"err {number + 1}" for number in range(lines)], ended.err.decode().splitlines())

    def test_bytes_are_exact(self):
        data = bytes(range(256)) * 4096 + os.urandom(100_001)
        self.connection.put("data", data)
        ended = self.run_("cat", "data")
        self.assertEqual(data, ended.out)
        self.assertEqual(data, self.run_("cat", stdin=data).out)

    def test_without_input_a_reader_sees_the_end_only_when_told(self):
        self.connection.call("run", argv=["cat"])
        self.connection.send({"stream": "stdin", "eof": True})
        self.assertEqual({"exit": 0}, finish(self.connection))

    def test_input_arrives_as_it_is_sent(self):
        self.connection.call("run", argv=["cat"])
        for number in range(20):
            line = f"line {number}\n".encode()
            self.connection.send({"stream": "stdin"}, line)
            answer = b""
            while answer != line:
                frame = self.connection.receive()
                self.assertEqual("stdout", frame["stream"])
                answer += frame.body
        self.connection.send({"stream": "stdin", "eof": True})
        self.assertEqual({"exit": 0}, finish(self.connection))

    def test_large_input(self):
        size = scaled(32 << 20, 4 << 20)
        self.assertEqual(str(size).encode(), self.run_("wc", "-c", stdin=bytes(size)).out.strip())
        data = os.urandom(size // 4)
        self.assertEqual(data, self.run_("cat", stdin=data).out)

    def test_a_command_that_does_not_read_its_input(self):
        self.assertEqual({"exit": 5}, self.run_("sh", "-c", "exit 5", stdin=bytes(4 << 20)))
        self.assertEqual(b"abc", self.run_("head", "-c", "3", stdin=b"abc" + bytes(4 << 20)).out)
        self.connection.call("ping")

    def test_a_closed_stdout_is_not_the_end(self):
        ended = self.run_(shell="exec >&- 2>&-; sleep 0.2; exit 4")
        self.assertEqual({"exit": 4}, ended)

    def test_a_grandchild_that_keeps_the_pipe_does_not_hang_the_client(self):
        ended = self.run_(shell="sleep 300 & echo gone; exit 0")
        self.assertEqual(({"exit": 0}, b"gone\n"), (ended, ended.out))

    def test_a_slow_reader_costs_no_memory(self):
        size = scaled(200_000_000, 40_000_000)
        hub = Hub("--allow-run", "admins", plain=True)
        self.addCleanup(hub.remove)
        connection = hub.connect(hub.new_admin())
        self.addCleanup(connection.close)
        connection.call("run", shell=f"head -c {size} /dev/zero; echo end >&2")
        total, frames = 0, 0
        while True:
            frame = connection.receive()
            if frame.get("stream") == "stdout":
                total += len(frame.body)
                frames += 1
                if frames % 50 == 0 and frames <= 1000:
                    time.sleep(0.05)  # this is what makes the reader slow
            elif "stream" not in frame:
                break
        self.assertEqual({"exit": 0}, frame)
        self.assertEqual(size, total)
        self.assert_memory(hub.peak_kib(), 100)


class Surroundings(RunTestCase):
    def test_the_environment_is_what_was_given(self):
        ended = self.run_("env", env={"HAWSER_TEST": "ü = ü", "EMPTY": ""})
        lines = ended.out.decode().splitlines()
        self.assertIn("HAWSER_TEST=ü = ü", lines)
        self.assertIn("EMPTY=", lines)

    def test_the_hubs_own_environment_stays_its_own(self):
        hub = Hub("--allow-run", "admins", env={"SECRET_OF_THE_HUB": "psst", "PATH": os.environ["PATH"]})
        self.addCleanup(hub.remove)
        connection = hub.connect(hub.new_admin())
        self.addCleanup(connection.close)
        self.assertNotIn(b"psst", run(connection, "env").out)
        self.assertEqual(b"0 1 2 3", b" ".join(run(connection, "ls", "/proc/self/fd").out.split()))

    def test_the_directory_is_the_home_or_one_in_it(self):
        self.connection.call("mkdir", path="some/dir", parents=True)
        home = self.hub.home(self.name)
        self.assertEqual(f"{home}\n".encode(), self.run_("pwd", "-P").out)
        self.assertEqual(f"{home}/some/dir\n".encode(), self.run_("pwd", "-P", cwd="some/dir").out)

    def test_the_directory_cannot_be_outside(self):
        home = self.hub.home(self.name)
        (home / "link").symlink_to("/tmp")
        for cwd in ("..", "/tmp", "a/../..", "link"):
            self.assert_refused("forbidden", "run", argv=["pwd"], cwd=cwd, on=self.connection)
        self.assert_refused("not_found", "run", argv=["pwd"], cwd="none", on=self.connection)
        self.connection.put("file", b"")
        self.assert_refused("conflict", "run", argv=["pwd"], cwd="file", on=self.connection)


class Signals(RunTestCase):
    def started(self, text):
        """A command that says when it is ready."""
        self.connection.call("run", shell=text)
        frame = self.connection.receive()
        self.assertEqual("stdout", frame["stream"])
        return frame.body

    def test_a_signal_reaches_the_command(self):
        for name in ("SIGINT", "SIGTERM", "SIGKILL", "SIGHUP"):
            self.started("echo ready; exec sleep 300")
            self.connection.send({"signal": name})
            self.assertEqual({"signal": name}, finish(self.connection))

    def test_a_command_may_handle_a_signal(self):
        self.started("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done")
        self.connection.send({"signal": "SIGINT"})
        ended = finish(self.connection)
        self.assertEqual(({"exit": 9}, b"caught\n"), (ended, ended.out))

    def test_the_whole_group_gets_it(self):
        child = int(self.started("sleep 300 & echo $!; wait; sleep 300"))
        self.connection.send({"signal": "SIGTERM"})
        self.assertEqual({"signal": "SIGTERM"}, finish(self.connection))
        eventually(lambda: not is_alive(child), "the child is gone as well")

    def test_a_signal_that_is_none_does_not_end_the_command(self):
        self.started("echo ready; cat >/dev/null; exit 6")
        for name in ("SIGNONSENSE", "", 9999, None):
            self.connection.send({"signal": name})
        self.connection.send({"stream": "stdin", "eof": True})
        while True:
            frame = self.connection.receive()
            if frame.get("ok") is not False:  # an error frame for each would be fine as well
                break
        self.assertEqual({"exit": 6}, frame)


class Vanishing(RunTestCase):
    def vanish(self, text, ahead=None):
        connection = self.hub.connect(self.token)
        connection.call("run", shell=text)
        group = int(connection.receive().body)
        self.assertTrue(group_members(group))
        if ahead:
            connection.send(ahead)
        connection.close()
        return group

    def test_the_command_gets_sighup(self):
        marker = self.hub.home(self.name) / "got"
        group = self.vanish(f"trap 'echo hup > {marker}; exit' HUP; echo $$; while :; do sleep 0.05; done")
        eventually(lambda: not group_members(group), "the group is gone")
        self.assertEqual("hup\n", marker.read_text())

    def test_its_children_go_with_it(self):
        group = self.vanish("echo $$; sleep 300 | sleep 300 & sleep 300")
        eventually(lambda: not group_members(group), "the group is gone")

    def test_a_request_sent_ahead_does_not_hide_it(self):
        group = self.vanish("echo $$; exec sleep 86400", ahead={"cmd": "ping"})
        eventually(lambda: not group_members(group), "the group is gone")

    def test_one_that_ignores_it_is_killed(self):
        group = self.vanish("trap '' HUP TERM INT; echo $$; while :; do sleep 1; done")
        eventually(lambda: not group_members(group), "the group is gone")

    def test_one_that_pours_output_goes_as_well(self):
        connection = self.hub.connect(self.token)
        pid = connection.call("run", argv=["yes"])["pid"]
        connection.receive()
        connection.close()
        eventually(lambda: not is_alive(pid), "yes is gone")

    def test_a_killed_hub_leaves_its_files_whole(self):
        """What a hub that is killed leaves running is not promised; that the next one works is."""
        hub = Hub("--allow-run", "admins")
        self.addCleanup(hub.remove)
        token = hub.new_admin()
        with hub.connect(token) as connection:
            connection.call("run", argv=["sleep", "1"])
            hub.restart()
        with hub.connect(token) as connection:
            self.assertEqual({"exit": 0}, run(connection, "true"))


class Policies(unittest.TestCase):
    def hub_with(self, *options):
        hub = Hub(*options)
        self.addCleanup(hub.remove)
        connections = []
        for token in (hub.new_admin(), hub.new_user("member")):
            connection = hub.connect(token)
            self.addCleanup(connection.close)
            connections.append(connection)
        return connections

    def assert_may(self, connection, may):
        if may:
            self.assertEqual({"exit": 0}, run(connection, "true"))
        else:
            with self.assertRaisesRegex(Refused, "forbidden"):
                run(connection, "true")

    def test_admins_unless_told_otherwise(self):
        admin, member = self.hub_with()
        self.assert_may(admin, True)
        self.assert_may(member, False)

    def test_members_when_told_so(self):
        admin, member = self.hub_with("--allow-run", "members")
        self.assert_may(admin, True)
        self.assert_may(member, True)

    def test_nobody_when_told_so(self):
        admin, member = self.hub_with("--allow-run", "none")
        self.assert_may(admin, False)
        self.assert_may(member, False)


if __name__ == "__main__":
    unittest.main()
