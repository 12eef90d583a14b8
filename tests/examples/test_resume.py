"""A transfer that breaks goes on where it stopped, with the example and with Python at either end."""
import json
import os
import pathlib
import struct
import tempfile

import examples


def send_header(sock, header):
    text = json.dumps(header).encode()
    sock.sendall(struct.pack("<i", len(text)) + text)


def receive_header(sock):
    (length,) = struct.unpack("<i", examples.receive_exactly(sock, 4))
    return json.loads(examples.receive_exactly(sock, length))


class Resume(examples.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.content = os.urandom(300_000)
        self.source = self.folder / "source" / "数据.bin"
        self.source.parent.mkdir()
        self.source.write_bytes(self.content)

    def test_both_ends(self):
        with examples.Program("resume_server", 0, self.folder) as server:
            port = server.port()
            broken = examples.run("resume_client", port, self.source, 100_000, check=False)
            self.assertEqual(broken.returncode, 1)
            server.wait_for("数据.bin: broke off")
            self.assertIn("complete", examples.run("resume_client", port, self.source).stdout)
            server.wait_for(r"from [1-9]\d* of 300000")
        self.assertEqual((self.folder / "数据.bin").read_bytes(), self.content)

    def test_python_client(self):
        (self.folder / "a.bin.part").write_bytes(self.content[:12345])
        with examples.Program("resume_server", 0, self.folder) as server, examples.client(server.port()) as sock:
            send_header(sock, {"filename": "../../a.bin", "filesize": len(self.content)})
            self.assertEqual(receive_header(sock)["offset"], 12345)
            sock.sendall(self.content[12345:])
            self.assertTrue(receive_header(sock)["ok"])
        self.assertEqual((self.folder / "a.bin").read_bytes(), self.content)

    def test_what_is_not_stored_is_not_acknowledged(self):
        with examples.Program("resume_server", 0, self.folder, preexec_fn=examples.small_disk) as server:
            done = examples.run("resume_client", server.port(), self.source, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, "the server has 0 of 300000 bytes\n"))
            self.assertRegex(done.stderr, r"^resume_client: write \S+: File too large\n$")
            self.assertNotIn(b"complete", server.output)
        self.assertFalse((self.folder / "数据.bin").exists())

    def test_one_sender_at_a_time(self):
        with examples.Program("resume_server", 0, self.folder) as server, examples.client(server.port()) as first:
            send_header(first, {"filename": "数据.bin", "filesize": 100_000})
            self.assertEqual(receive_header(first)["offset"], 0)
            done = examples.run("resume_client", server.port(), self.source, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr, "resume_client: somebody else is sending it just now\n")
            first.sendall(b"1" * 100_000)
            self.assertTrue(receive_header(first)["ok"])
        self.assertEqual((self.folder / "数据.bin").read_bytes(), b"1" * 100_000)

    def test_a_name_with_a_nul_is_none(self):
        (self.folder / "good").write_bytes(b"as it was")
        with examples.Program("resume_server", 0, self.folder) as server, examples.client(server.port()) as sock:
            send_header(sock, {"filename": "good\0x", "filesize": 100})
            self.assertEqual(receive_header(sock), {"error": "no name for a file"})
        self.assertEqual((self.folder / "good").read_bytes(), b"as it was")

    def test_a_size_that_no_file_has_is_refused(self):
        with examples.Program("resume_server", 0, self.folder) as server, examples.client(server.port()) as sock:
            send_header(sock, {"filename": "huge", "filesize": 2**63})
            self.assertEqual(receive_header(sock), {"error": "no file is as large as that"})
        self.assertFalse((self.folder / "huge.part").exists())

    def test_python_server_that_is_wrong_or_gone(self):
        for answer, error in (({"offset": 300_001}, "the server claims 300001 of 300000 bytes"),
                              ({"error": "not today"}, "not today"), (None, "the server has gone")):
            with examples.server() as listener:
                with examples.Program("resume_client", listener.getsockname()[1], self.source) as client:
                    sock, _ = listener.accept()
                    with sock:
                        receive_header(sock)
                        if answer:
                            send_header(sock, answer)
                        self.assertEqual(examples.receive_all(sock) if answer else b"", b"")
                    self.assertEqual(client.end(), 1)
                    self.assertEqual(client.output.decode(), f"resume_client: {error}\n")

    def test_python_server_that_leaves_before_its_last_word(self):
        with examples.server() as listener:
            with examples.Program("resume_client", listener.getsockname()[1], self.source) as client:
                sock, _ = listener.accept()
                with sock:
                    receive_header(sock)
                    send_header(sock, {"offset": 299_000})
                    examples.receive_exactly(sock, 1000)
                self.assertEqual(client.end(), 1)
                client.wait_for("resume_client: the server has gone\n")

    def test_what_went_wrong_is_one_line(self):
        with examples.server() as taken:
            port = taken.getsockname()[1]
            self.assert_fails("resume_server", port, self.folder, says=f"bind 127.0.0.1:{port}: Address already in use")
        self.assert_fails("resume_client", port, self.source, says=f"connect 127.0.0.1:{port}: Connection refused")
        done = examples.run("resume_client", port, self.folder / "none", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^resume_client: .*: (No such file or directory|Connection refused)\n$")

    def test_python_server(self):
        with examples.server() as listener:
            port = listener.getsockname()[1]
            with examples.Program("resume_client", port, self.source) as client:
                sock, _ = listener.accept()
                with sock:
                    self.assertEqual(receive_header(sock)["filesize"], len(self.content))
                    send_header(sock, {"offset": 299_000})
                    self.assertEqual(examples.receive_exactly(sock, 1000), self.content[299_000:])
                    send_header(sock, {"ok": True})
                client.wait_for("complete")
                self.assertEqual(client.end(), 0)


if __name__ == "__main__":
    examples.main()
