"""Binary structures and text encodings: the examples print what Python's struct and codecs make of the same."""
import random
import struct
import subprocess

import examples

TOUR = """\
UTF-8 read as UTF-8: 黑马aB1!
UTF-8 read as GBK:   榛戦┈aB1!
GBK read as UTF-8:   \ufffd\ufffd\ufffd\ufffd
refused: 'utf-8' codec can't decode byte 0xba in position 0: invalid start byte
refused: 'gbk' codec can't encode character U+20AC in position 2: illegal multibyte sequence
"""


class StructBasics(examples.TestCase):
    def test_tour(self):
        lines = examples.run("struct_basics").stdout.splitlines()
        self.assertEqual(lines[0], "<i3sf: " + struct.pack("<i3sf", 1, b"abc", 2.7).hex(" "))
        self.assertEqual(lines[1], "1 abc 2.7")
        self.assertEqual(lines[2].split(": ")[1], struct.pack("<i", 1024).hex(" "))
        self.assertEqual(lines[3].split(": ")[1], struct.pack("!i", 1024).hex(" "))
        self.assertEqual(lines[4].split(": ")[1], struct.pack("<bi", 1, 2).hex(" "))
        self.assertEqual(lines[5].split(": ")[1], struct.pack("bi", 1, 2).hex(" "))

    def test_formats_of_run_time(self):
        for format, values in (("!HHi", (1, 65535, -7)), ("=bxq", (-128, 2**62)), ("<3I", (1, 2, 3)), ("<d", (5,))):
            printed = examples.run("struct_basics", format, *values).stdout
            self.assertEqual(printed, f"{format}: {struct.pack(format, *values).hex(' ')}\n")

    def test_refusals(self):
        for format, values, words in (
            ("i", (2**31,), "'i' format requires -2147483648 <= number <= 2147483647"),
            ("Q", (2**100,), "'Q' format requires 0 <= number <= 18446744073709551615"),
            ("ii", (1,), "pack expected 2 items for packing (got 1)"),
            ("iz", (1, 2), "bad char in struct format: 'z' at position 1"),
            ("<n", (1,), "bad char in struct format: 'n' at position 1"),
        ):
            done = examples.run("struct_basics", format, *values, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, f"struct_basics: {words}\n"))


class TextCodecs(examples.TestCase):
    TEXT = "黑马程序员 hello 世界 ~ 龥\n" * 3000

    def convert(self, data, source, target, *handler):
        done = subprocess.run([examples.PROGRAMS / "text_codecs", source, target, *handler], input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=examples.SECONDS)
        return done.returncode, done.stdout

    def test_tour(self):
        self.assertEqual(examples.run("text_codecs").stdout, TOUR)

    def test_every_encoding_to_every_other(self):
        codecs = ("utf-8", "gbk", "gb18030", "gb2312", "hz")
        text = self.TEXT.replace("龥", "")[:3000]
        for source in codecs:
            for target in codecs:
                self.assertEqual(self.convert(text.encode(source), source, target), (0, text.encode(target)))

    def test_a_long_text_is_cut_anywhere(self):
        self.assertEqual(self.convert(self.TEXT.encode("gbk"), "gbk", "utf-8"), (0, self.TEXT.encode()))

    def test_damage_is_mended_as_python_mends_it(self):
        data = bytearray(self.TEXT[:600].encode("gb18030"))
        chance = random.Random(1)
        for _ in range(100):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for handler in ("ignore", "replace", "backslashreplace"):
            for source in ("gb18030", "gbk", "utf-8"):
                expected = bytes(data).decode(source, handler).encode()
                self.assertEqual(self.convert(bytes(data), source, "utf-8", handler), (0, expected))

    def test_a_text_that_breaks_off_says_where(self):
        code, output = self.convert("黑马".encode("gbk")[:-1], "gbk", "utf-8")
        self.assertEqual(code, 1)
        self.assertIn("can't decode byte 0xc2 in position 2: incomplete multibyte sequence", output.decode())


if __name__ == "__main__":
    examples.main()
