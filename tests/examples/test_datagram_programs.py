"""The time over UDP, and a 飞秋 message, with Python at the other end."""
import re
import socket
import time

import examples


class TimeServer(examples.TestCase):
    def setUp(self):
        program = examples.Program("time_server", 0)
        self.server = program.__enter__()
        self.addCleanup(program.__exit__)
        self.sock = examples.client(self.server.port(), socket.SOCK_DGRAM)
        self.addCleanup(self.sock.close)

    def ask(self, form):
        self.sock.send(form)
        return self.sock.recv(65536)

    def test_default_and_own_formats(self):
        for form, usual in (b"", "%Y-%m-%d %H:%M:%S"), (b"%Y %j %% %H", "%Y %j %% %H"), ("%Y年%m月".encode(), "%Y年%m月"):
            before = time.strftime(usual)
            answer = self.ask(form).decode()
            self.assertTrue(before <= answer <= time.strftime(usual), answer)

    def test_formats_of_strangers(self):
        for huge in b"%999999999d", b"%c" * 500, b"%1023d" * 100:
            self.sock.send(huge)
        self.assertEqual(self.ask(b"a\0b"), b"a\0b")
        self.server.wait_for("longer than|too long|limit")
        self.assertRegex(self.ask(b"%Y").decode(), r"\d{4}")

    def test_who_cannot_be_answered_ends_nobody_else(self):
        examples.send_from_port_0(self.server.port(), b"")
        self.server.wait_for("Invalid argument")
        self.assertRegex(self.ask(b"%Y").decode(), r"\d{4}")


class FeiqMessage(examples.TestCase):
    def test_message_and_receipt(self):
        with examples.server(socket.SOCK_DGRAM) as feiq:
            port = feiq.getsockname()[1]
            with examples.Program("feiq_message", "127.0.0.1", "小明", "黑马 aB1!", port) as message:
                data, peer = feiq.recvfrom(65536)
                version, number, user, host, command, text = data.split(b":", 5)
                self.assertTrue(version.startswith(b"1_"))
                self.assertEqual(user.decode("gbk"), "小明")
                self.assertEqual(host.decode(), socket.gethostname())
                self.assertEqual(int(command), 0x120)
                self.assertEqual(text, "黑马 aB1!".encode("gbk") + b"\0")
                feiq.sendto(b"1:99:other:pc:33:1", peer)  # the receipt of another message
                feiq.sendto(b"1:100:other:pc:33:" + number + b"\0", peer)
                message.wait_for("received")
                self.assertEqual(message.end(), 0)

    def test_names_have_no_colons_and_receipts_may_have_options(self):
        with examples.server(socket.SOCK_DGRAM) as feiq:
            port = feiq.getsockname()[1]
            with examples.Program("feiq_message", "localhost", "a:b", "c:d", port) as message:
                data, peer = feiq.recvfrom(65536)
                version, number, user, host, command, text = data.split(b":", 5)
                self.assertEqual((user, int(command), text), (b"a;b", 0x120, b"c:d\0"))
                feiq.sendto(b"1:99:other:pc:%d:%s" % (0x21 | 0x800000, number), peer)
                message.wait_for("received")
                self.assertEqual(message.end(), 0)

    def test_what_others_say_does_not_keep_it_waiting(self):
        with examples.server(socket.SOCK_DGRAM) as feiq:
            with examples.Program("feiq_message", "127.0.0.1", "me", "hi", feiq.getsockname()[1]) as message:
                data, peer = feiq.recvfrom(65536)
                number = data.split(b":")[1]

                def ended():
                    # Somebody enters, the receipt of another message, and what is none at all.
                    for chatter in b"1:1:o:pc:1:x\0", b"1:2:o:pc:33:1\0", number, b"1:3:o:pc:x:" + number, b"":
                        feiq.sendto(chatter, peer)
                    return message.process.poll() is not None

                examples.until(ended)
                message.wait_for("no receipt")
                self.assertEqual(message.end(), 1)

    def test_what_went_wrong_is_one_line(self):
        done = examples.run("feiq_message", "no.such.host.invalid", "me", "hi", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^feiq_message: resolve no.such.host.invalid: .*\n$")


if __name__ == "__main__":
    examples.main()
