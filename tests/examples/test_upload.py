"""An upload with a header: names stay in the folder, a broken one leaves nothing under its name."""
import json
import os
import pathlib
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
        self.assertFalse((self.folder / "half.bin").exists())

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
