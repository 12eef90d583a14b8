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
            server.wait_for("from 0 of 300000")
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
