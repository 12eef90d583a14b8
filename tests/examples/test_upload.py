"""An upload with a header: names stay in the folder, a broken one leaves nothing under its name."""
import json
import os
import pathlib
import socket
import struct
import tempfile

import examples


def header(name, size):
    text = json.dumps({"filesize": size, "cmd": "put", "filename": name}).encode()
    return struct.pack("i", len(text)) + text


class Upload(examples.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "kept"
        self.folder.mkdir()
        self.source = pathlib.Path(folder.name) / "图片.png"
        self.source.write_bytes(os.urandom(500_000))
        self.empty = pathlib.Path(folder.name) / "empty"
        self.empty.touch()

    def test_both_ends(self):
        with examples.Program("upload_server", 0, self.folder) as server:
            done = examples.run("upload_client", server.port(), self.source, self.empty)
            self.assertEqual(done.stdout, "sent 图片.png, 500000 bytes\nsent empty, 0 bytes\n")
            server.wait_for("stored 图片.png, 500000 bytes\nstored empty, 0 bytes")
        self.assertEqual((self.folder / "图片.png").read_bytes(), self.source.read_bytes())
        self.assertEqual((self.folder / "empty").read_bytes(), b"")

    def test_python_client_cannot_leave_the_folder(self):
        with examples.Program("upload_server", 0, self.folder) as server:
            with examples.client(server.port()) as sock:
                sock.sendall(header("../../etc/notes.txt", 5) + b"hello")
                server.wait_for("stored notes.txt, 5 bytes")
            with examples.client(server.port()) as sock:
                sock.sendall(header("..", 5) + b"hello")
                self.assertEqual(examples.receive_all(sock), b"")
        self.assertEqual(os.listdir(self.folder), ["notes.txt"])

    def test_a_broken_upload_gets_no_name(self):
        with examples.Program("upload_server", 0, self.folder) as server:
            with examples.client(server.port()) as sock:
                sock.sendall(header("half.bin", 1000) + b"x" * 10)
            with examples.client(server.port()) as sock:
                sock.sendall(struct.pack("i", -1))
                self.assertEqual(examples.receive_all(sock), b"")
            with examples.client(server.port()) as sock:
                sock.sendall(header("whole.bin", 3) + b"abc")
                server.wait_for("stored whole.bin")
            examples.until(lambda: os.listdir(self.folder) == ["whole.bin"])  # nothing of the broken ones stays

    def test_two_uploads_of_one_name_do_not_mix(self):
        with examples.Program("upload_server", 0, self.folder) as server:
            with examples.client(server.port()) as slow, examples.client(server.port()) as quick:
                slow.sendall(header("same.bin", 100_000) + b"s" * 50_000)
                examples.until(lambda: os.listdir(self.folder))  # it has begun
                quick.sendall(header("same.bin", 70_000) + b"q" * 70_000)
                server.wait_for("stored same.bin, 70000 bytes")
                self.assertEqual((self.folder / "same.bin").read_bytes(), b"q" * 70_000)
                slow.sendall(b"s" * 50_000)
                server.wait_for("stored same.bin, 100000 bytes")
        self.assertEqual((self.folder / "same.bin").read_bytes(), b"s" * 100_000)
        self.assertEqual(os.listdir(self.folder), ["same.bin"])

    def test_a_name_with_a_nul_is_none(self):
        (self.folder / "good").write_bytes(b"as it was")
        with examples.Program("upload_server", 0, self.folder) as server:
            with examples.client(server.port()) as sock:
                sock.sendall(header("good\0x", 1000) + b"half")
                sock.shutdown(socket.SHUT_WR)
                self.assertEqual(examples.receive_all(sock), b"")
            server.wait_for("no file name")
        self.assertEqual((self.folder / "good").read_bytes(), b"as it was")

    def test_a_size_that_no_file_has_is_refused(self):
        with examples.Program("upload_server", 0, self.folder) as server:
            for size in (2**63, 2**64 - 1, 2**64, -1):
                with examples.client(server.port()) as sock:
                    sock.sendall(header("huge", size))
                    self.assertEqual(examples.receive_all(sock), b"")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_full_disk_leaves_nothing(self):
        with examples.Program("upload_server", 0, self.folder, preexec_fn=examples.small_disk) as server:
            with examples.client(server.port()) as sock:
                sock.sendall(header("large.bin", 500_000) + b"x" * 500_000)
                server.wait_for(r"write \S+: File too large")
            examples.until(lambda: not os.listdir(self.folder))

    def test_what_went_wrong_is_one_line(self):
        with examples.server() as taken:
            port = taken.getsockname()[1]
            self.assert_fails("upload_server", port, self.folder, says=f"bind 127.0.0.1:{port}: Address already in use")
        self.assert_fails("upload_client", port, self.source, says=f"connect 127.0.0.1:{port}: Connection refused")

    def test_python_server(self):
        with examples.server() as listener:
            with examples.Program("upload_client", listener.getsockname()[1], self.source) as client:
                sock, _ = listener.accept()
                with sock:
                    (length,) = struct.unpack("i", examples.receive_exactly(sock, 4))
                    said = json.loads(examples.receive_exactly(sock, length))
                    self.assertEqual(said, {"cmd": "put", "filename": "图片.png", "filesize": 500_000})
                    self.assertEqual(examples.receive_all(sock), self.source.read_bytes())
                self.assertEqual(client.end(), 0)


if __name__ == "__main__":
    examples.main()
