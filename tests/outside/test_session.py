"""Accounts, sessions and the order of answers."""
import contextlib
import json
import re
import sqlite3
import time
import unittest

from hawser_client import Refused
from hub import PASSWORD, Hub, HubTestCase, scaled

NEEDS_A_SESSION = {
    "logout": {},
    "passwd": {"old": PASSWORD, "new": "another password"},
    "list": {"path": "."},
    "stat": {"path": "a"},
    "mkdir": {"path": "a"},
    "remove": {"path": "a"},
    "move": {"from": "a", "to": "b"},
    "sum": {"path": "a", "algorithm": "sha256"},
    "offset": {"path": "a", "total": 1},
    "put": {"path": "a", "total": 0, "size": 0},
    "get": {"path": "a"},
    "run": {"argv": ["true"]},
}


class Registration(HubTestCase):
    hub_options = {"members": False}

    def test_the_printed_invite_makes_one_admin_and_nobody_else_comes_in(self):
        with self.hub.connect() as connection:
            self.assert_refused("forbidden", "register", user="early", password=PASSWORD, on=connection)
            self.assert_refused("forbidden", "register", user="early", password=PASSWORD, invite="0" * 64,
                                on=connection)
            connection.call("register", user="chief", password=PASSWORD, invite=self.hub.invite)
            self.assert_refused("forbidden", "register", user="late", password=PASSWORD, invite=self.hub.invite,
                                on=connection)
            answer = connection.call("login", user="chief", password=PASSWORD)
        self.assertIn("admin", answer["roles"])
        self.assertGreater(answer["expires"], time.time() + 60)

    def test_refusals_without_end_are_counted_and_not_written_down_one_by_one(self):
        hub = Hub(members=False)
        self.addCleanup(hub.remove)
        count = scaled(2000, least=500)
        with hub.connect() as connection:
            for _ in range(count):
                self.assert_refused("forbidden", "register", user="early", password=PASSWORD, on=connection)
        hub.stop()
        with contextlib.closing(sqlite3.connect(hub.root / "hub.db")) as store:
            results = [result for result, in store.execute("SELECT result FROM audit ORDER BY id")]
        self.assertLess(len(results), 50)
        counted = [int(more[1]) for result in results if (more := re.search(r"\((\d+) more, ", result))]
        self.assertEqual(count, len(results) - len(counted) + sum(counted), results)

    def test_a_used_invite_is_not_printed_again(self):
        hub = Hub(members=False)
        self.addCleanup(hub.remove)
        hub.new_admin()
        hub.invite = None
        hub.restart()
        self.assertIsNone(hub.invite)


class Sessions(HubTestCase):
    def test_hello_says_what_the_hub_is(self):
        answer = self.connect().call("hello", version=1, client="test")
        self.assertEqual(1, answer["version"])
        self.assertIsInstance(answer["server"], str)
        self.assertEqual(65536, answer["max_header"])
        self.assertIsInstance(answer["auth"], list)

    def test_ping_needs_no_session(self):
        self.assertEqual({"ok": True}, self.connect().call("ping"))

    def test_a_name_is_taken_once(self):
        connection = self.connect()
        connection.call("register", user="Once", password=PASSWORD)
        self.assert_refused("exists", "register", user="Once", password=PASSWORD, on=connection)

    def test_names_and_passwords_that_make_no_sense_are_refused(self):
        connection = self.connect()
        for name in ("", ".", "..", "a/b", "../a", "a b", "a\0b", "x" * 200, "ä", 7, None):
            self.assert_refused("bad_request", "register", user=name, password=PASSWORD, on=connection)
        for password in ("", "short", 12345678, None):
            self.assert_refused("bad_request", "register", user="fine", password=password, on=connection)
        self.assert_refused("bad_request", "register", user="fine", on=connection)

    def test_any_text_may_be_a_password(self):
        password = " ключ 🔑 \" \\ \t and so on "
        connection = self.connect()
        connection.call("register", user="polyglot", password=password)
        self.assertTrue(connection.login("polyglot", password))

    def test_nothing_is_served_without_a_session(self):
        connection = self.connect()
        for command, keys in NEEDS_A_SESSION.items():
            with self.subTest(command):
                self.assert_refused("unauthenticated", command, on=connection, **keys)

    def test_a_refused_put_leaves_the_connection_in_step(self):
        connection = self.connect()
        body = bytes(300_000)
        self.assert_refused("unauthenticated", "put", body, path="a", total=len(body), on=connection)
        self.assertEqual({"ok": True, "id": 1}, connection.call("ping", id=1))

    def test_a_token_signs_in_another_connection(self):
        name, token = self.new_user()
        other = self.connect()
        answer = other.call("resume", token=token)
        self.assertEqual(name, answer["user"])
        self.assertIsInstance(answer["roles"], list)
        self.assertNotIn("admin", answer["roles"])
        self.assertEqual([], other.call("list", path=".")["entries"])

    def test_a_wrong_token_is_refused(self):
        connection = self.connect()
        for token in ("", "0" * 64, "x", "ä" * 100):
            self.assert_refused(("unauthenticated", "bad_request"), "resume", token=token, on=connection)
        self.assert_refused("bad_request", "resume", token=5, on=connection)

    def test_logout_kills_the_token_everywhere(self):
        _, token = self.new_user()
        here, there = self.connect(token), self.connect(token)
        here.call("logout")
        self.assert_refused("unauthenticated", "list", path=".", on=here)
        self.assert_refused("unauthenticated", "list", path=".", on=there)
        self.assert_refused("unauthenticated", "resume", token=token, on=self.connect())

    def test_a_new_password_kills_all_other_tokens(self):
        name, token = self.new_user()
        here, there = self.connect(), self.connect(token)
        own = here.login(name, PASSWORD)
        self.assert_refused(("forbidden", "unauthenticated"), "passwd", old="wrong password", new="brand new word",
                            on=here)
        there.call("list", path=".")
        here.call("passwd", old=PASSWORD, new="brand new word")
        here.call("list", path=".")
        self.connect(own).call("list", path=".")
        self.assert_refused("unauthenticated", "list", path=".", on=there)
        self.assert_refused("unauthenticated", "resume", token=token, on=self.connect())
        self.assert_refused("unauthenticated", "login", user=name, password=PASSWORD, on=self.connect())
        self.connect().login(name, "brand new word")

    def test_sessions_survive_a_kill_of_the_hub(self):
        hub = Hub()
        self.addCleanup(hub.remove)
        token = hub.new_user("anna")
        hub.restart()
        with hub.connect(token) as connection:
            connection.call("list", path=".")


class Guessing(HubTestCase):
    def test_an_unknown_user_looks_like_a_wrong_password(self):
        self.new_user()
        connection = self.connect()
        answers = []
        for user in (self.new_user()[0], "nobody-of-that-name"):
            connection.send({"cmd": "login", "user": user, "password": "wrong password"})
            answers.append(connection.receive()["error"])
        self.assertEqual(answers[0], answers[1])
        self.assertEqual("unauthenticated", answers[0]["code"])

    def test_guessing_is_slowed_and_the_lock_survives_a_kill(self):
        name, token = self.new_user()
        connection = self.connect()
        # All in one go, so that no time passes between the last failure and the right password.
        for attempt in range(10):
            connection.send({"cmd": "login", "user": name, "password": f"guess number {attempt}"})
        connection.send({"cmd": "login", "user": name, "password": PASSWORD})
        codes = [connection.receive().get("error", {}).get("code") for _ in range(11)]
        self.assertEqual(["unauthenticated"] * 3, codes[:3])
        self.assertIn("rate_limited", codes)
        self.assertEqual("rate_limited", codes[-1], "the right password must wait as well")
        self.connect(token).call("list", path=".")  # a session goes on
        self.connect().login(self.new_user()[0], PASSWORD)  # others are not locked out


class Answers(HubTestCase):
    def test_any_json_value_is_an_id(self):
        connection = self.connect()
        for value in (0, -1, 1.5, "text", "", "ü🚀\u0000\n", True, False, None, [], {}, [1, [2, {"a": None}]],
                      {"deep": {"er": ["x"]}}, 2**53 + 1, 2**63, 2**64 - 1, -2**63, 2**64, 2**200, -(2**200)):
            with self.subTest(value=value):
                answer = connection.call("ping", id=value)
                self.assertIn("id", answer)
                self.assertEqual((value, type(value)), (answer["id"], type(answer["id"])))
                connection.send({"cmd": "no such", "id": value})
                self.assertEqual(value, connection.receive()["id"])

    def test_without_an_id_none_comes_back(self):
        self.assertNotIn("id", self.connect().call("ping"))

    def test_pipelined_requests_are_answered_in_order(self):
        connection = self.signed_in()
        requests = []
        for number in range(120):
            requests += [{"cmd": "ping"}, {"cmd": "list", "path": "."}, {"cmd": "nonsense"}, {"cmd": "hello"},
                         {"cmd": "stat", "path": f"missing-{number}"}]
        for number, request in enumerate(requests):
            connection.send({**request, "id": number})
        self.assertEqual(list(range(len(requests))), [connection.receive()["id"] for _ in requests])

    def test_pipelined_files_arrive_in_order(self):
        connection = self.signed_in()
        contents = [bytes([number]) * (number * 997) for number in range(40)]
        for content in contents:
            connection.send({"cmd": "put", "path": "same", "total": len(content), "size": len(content)}, content)
            connection.send({"cmd": "get", "path": "same"})
        for content in contents:
            self.assertTrue(connection.receive()["ok"])
            self.assertEqual(content, connection.receive().body)

    def test_an_unknown_command_is_named_and_the_connection_goes_on(self):
        connection = self.connect()
        self.assert_refused("unknown_command", "no such thing", on=connection)
        self.assert_refused("unknown_command", "PING", on=connection)
        self.assert_refused("unknown_command", "no such thing", b"with a body", on=connection)
        connection.call("ping")

    def test_a_header_without_a_usable_command_is_a_bad_request(self):
        connection = self.connect()
        for header in ({}, {"cmd": None}, {"cmd": 5}, {"cmd": ["ping"]}):
            connection.send({**header, "id": "x"})
            answer = connection.receive()
            self.assertEqual(("x", "bad_request"), (answer["id"], answer["error"]["code"]))
        connection.call("ping")

    def test_unknown_keys_are_ignored(self):
        connection = self.signed_in()
        connection.call("ping", colour="blue", nested={"a": [1, 2, {"b": None}]}, ok=False, error={"code": "x"})
        connection.call("list", path=".", colour="blue", huge=10**100)

    def test_keys_of_the_wrong_kind_are_a_bad_request(self):
        connection = self.signed_in()
        for command, keys in (("list", {"path": 5}), ("stat", {"path": ["a"]}), ("mkdir", {}),
                              ("mkdir", {"path": "a", "parents": "yes"}), ("move", {"from": "a"}),
                              ("sum", {"path": "a", "algorithm": "crc32"}), ("offset", {"path": "a"}),
                              ("offset", {"path": "a", "total": -1}), ("offset", {"path": "a", "total": "5"}),
                              ("get", {"path": "a", "offset": -1}), ("get", {"path": "a", "offset": 1.5}),
                              ("get", {"path": "a", "hash": "rot13"}), ("login", {"user": 5, "password": PASSWORD})):
            with self.subTest(command=command, keys=keys):
                self.assert_refused("bad_request", command, on=connection, **keys)
        connection.call("ping")

    def test_a_header_may_be_as_long_as_the_limit(self):
        connection = self.connect()
        empty = len(json.dumps({"cmd": "ping", "pad": ""}))
        connection.call("ping", pad="x" * (65536 - empty))

    def test_a_command_that_takes_no_body_drops_it(self):
        connection = self.connect()
        self.assertEqual(1, connection.call("ping", bytes(100_000), id=1)["id"])
        self.assertEqual(2, connection.call("ping", id=2)["id"])

    def test_the_error_of_a_refused_call_says_why(self):
        with self.assertRaisesRegex(Refused, "not_found: .*a.txt"):
            self.signed_in().get("a.txt")


if __name__ == "__main__":
    unittest.main()
