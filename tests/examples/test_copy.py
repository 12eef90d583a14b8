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

    def test_a_target_stays_as_it_was_until_the_copy_is_complete(self):
        here, kept = self.folder / "here", self.folder / "kept"
        here.write_bytes(b"\xff\xfe\xff" + b"x" * 300_000)
        kept.write_bytes(b"as it was")
        for arguments, options in (((here, kept, "gbkk", "utf-8"), {}), ((here, kept, "utf-8", "gbk"), {}),
                                   ((self.folder, kept), {}), ((self.folder / "none", kept), {}),
                                   ((here, kept), {"preexec_fn": examples.small_disk})):
            with self.subTest(arguments=arguments):
                done = examples.run("copy_file", *arguments, check=False, **options)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"^copy_file: .+\n$")
                self.assertEqual(kept.read_bytes(), b"as it was")
        self.assertEqual(sorted(os.listdir(self.folder)), ["here", "kept"])

    def test_onto_itself(self):
        only = self.folder / "only"
        only.write_text("黑马", encoding="utf-8")
        examples.run("copy_file", only, only)
        self.assertEqual(only.read_text(encoding="utf-8"), "黑马")
        (self.folder / "link").symlink_to("only")
        examples.run("copy_file", only, self.folder / "link", "utf-8", "gbk")
        self.assertEqual(only.read_bytes(), "黑马".encode("gbk"))

    def test_what_is_no_file_is_not_replaced(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        done = examples.run("copy_file", __file__, pipe, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, f"copy_file: {pipe} is no file\n"))
        self.assertTrue(pipe.is_fifo())


if __name__ == "__main__":
    examples.main()
