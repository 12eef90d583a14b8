"""A copied picture is the same, byte for byte; a copied text may change its encoding."""
import os
import pathlib
import tempfile

import examples


class Copy(examples.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_picture(self):
        picture = os.urandom(200_001)
        (self.folder / "a.png").write_bytes(picture)
        examples.run("copy_file", self.folder / "a.png", self.folder / "b.png")
        self.assertEqual((self.folder / "b.png").read_bytes(), picture)

    def test_text_changes_its_encoding_also_across_pieces(self):
        text = "x" + "黑马程序员€\n" * 20_000  # characters lie across every border of a piece
        (self.folder / "a.txt").write_bytes(text.encode("gb18030"))
        examples.run("copy_file", self.folder / "a.txt", self.folder / "b.txt", "gb18030", "utf-8")
        self.assertEqual((self.folder / "b.txt").read_text(encoding="utf-8"), text)
        examples.run("copy_file", self.folder / "b.txt", self.folder / "c.txt", "utf-8", "gb18030")
        self.assertEqual((self.folder / "c.txt").read_bytes(), text.encode("gb18030"))

    def test_wrong_encoding_says_where(self):
        (self.folder / "a.txt").write_bytes(b"ab\xff\xff")
        done = examples.run("copy_file", self.folder / "a.txt", self.folder / "b.txt", "utf-8", "gbk", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "utf-8.*position 2")


if __name__ == "__main__":
    examples.main()
