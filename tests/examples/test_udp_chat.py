"""The UDP chat: contacts, colours, several at once, and Python at either end."""
import socket
import struct

import examples


class UdpChat(examples.TestCase):
    def test_server_answers_whoever_spoke_last(self):
        with examples.Program("udp_chat_server", 0) as server:
            port = server.port()
            with examples.client(port, socket.SOCK_DGRAM) as ann, examples.client(port, socket.SOCK_DGRAM) as bob:
                ann.send("你好".encode())
                first = server.wait_for(r"\x1b\[1;(\d+)m127\.0\.0\.1:\d+\x1b\[0m 你好").group(1)
                server.type("hello Ann\n")
                self.assertEqual(ann.recv(1024), b"hello Ann")
                bob.send(b"and me?")
                second = server.wait_for(r"\x1b\[1;(\d+)m\S+ and me\?").group(1)
                self.assertNotEqual(first, second)
                server.type("hello Bob\nq\n")
                self.assertEqual(bob.recv(1024), b"hello Bob")
                self.assertEqual(server.end(), 0)

    def test_who_cannot_be_answered_ends_nothing(self):
        with examples.Program("udp_chat_server", 0) as server:
            port = server.port()
            try:
                raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
            except PermissionError:
                self.skipTest("only root sends from port 0")
            with raw:
                raw.sendto(struct.pack("!HHHH", 0, port, 8 + 5, 0) + b"hello", ("127.0.0.1", 0))
            server.wait_for("hello")
            server.type("who are you?\n")
            server.wait_for("send_to 127.0.0.1:0: Invalid argument\n")
            with examples.client(port, socket.SOCK_DGRAM) as ann:
                ann.send(b"it's me")
                server.wait_for("it's me")
                server.type("hello Ann\nq\n")
                self.assertEqual(ann.recv(1024), b"hello Ann")
            self.assertEqual(server.end(), 0)

    def test_what_went_wrong_is_one_line(self):
        with examples.server(socket.SOCK_DGRAM) as taken:
            port = taken.getsockname()[1]
            self.assert_fails("udp_chat_server", port, says=f"bind 127.0.0.1:{port}: Address already in use")
        for contact, error in (("bob", "bob is not NAME=HOST:PORT"),
                               ("bob=localhost:70000", 'bad address "localhost:70000": the port must be 0 to 65535 .*'),
                               ("bob=no.such.host.invalid:1", "resolve no.such.host.invalid: .*")):
            done = examples.run("udp_chat", contact, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, f"^udp_chat: {error}\n$")

    def test_client_talks_to_its_contacts_one_after_another(self):
        with examples.server(socket.SOCK_DGRAM) as ann, examples.server(socket.SOCK_DGRAM) as bob:
            contacts = [f"ann=127.0.0.1:{ann.getsockname()[1]}", f"bob=127.0.0.1:{bob.getsockname()[1]}"]
            with examples.Program("udp_chat", *contacts) as chat:
                chat.wait_for("who\\? ")
                chat.type("eve\n")
                chat.wait_for("no such contact")
                chat.type("ann\nhi Ann\n")
                said, client = ann.recvfrom(1024)
                self.assertEqual(said, b"hi Ann")
                ann.sendto("好的".encode(), client)
                chat.wait_for(r"\x1b\[1;33mann\x1b\[0m 好的")
                chat.type("q\nbob\nhi Bob\n")
                self.assertEqual(bob.recvfrom(1024)[0], b"hi Bob")
                chat.type("q\n\n")
                self.assertEqual(chat.end(), 0)

    def test_both_ends(self):
        with examples.Program("udp_chat_server", 0) as server:
            with examples.Program("udp_chat", f"home=localhost:{server.port()}") as chat:
                chat.type("home\nanybody there?\n")
                server.wait_for(r"anybody there\?")
                server.type("yes\n")
                chat.wait_for("home\x1b\\[0m yes")
                chat.type("q\n")
                chat.end_of_input()
                self.assertEqual(chat.end(), 0)


if __name__ == "__main__":
    examples.main()
