"""What the documents show is what there is."""
import os
import re
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))
GUIDE = sorted(SOURCE.glob("docs/guide/*.md"))
DOCUMENTS = [*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md"), *GUIDE]


def anchor(heading: str) -> str:
    """The name a heading is linked by."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Documents(unittest.TestCase):
    def test_the_example_in_the_readme_is_the_one_that_is_built(self):
        code = re.search(r"```cpp\n(.*?)```", (SOURCE / "README.md").read_text(), re.S)[1]
        self.assertEqual(code, (SOURCE / "examples/3_servers/echo.cpp").read_text())

    def test_code_in_the_guide_is_from_the_examples(self):
        examples = [path.read_text() for path in SOURCE.glob("examples/**/*.cpp")]
        for chapter in GUIDE:
            for code in re.findall(r"```cpp\n(.*?)```", chapter.read_text(), re.S):
                self.assertTrue(any(code in example for example in examples), f"{chapter.name}:\n{code}")

    def test_every_link_leads_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text()):
                path, _, fragment = target.partition("#")
                file = (document.parent / path) if path else document
                self.assertTrue(file.exists(), f"{document.name}: {target}")
                if fragment:
                    headings = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
                    self.assertIn(fragment, map(anchor, headings), f"{document.name}: {target}")

    def test_every_file_the_architecture_names_exists(self):
        text = (SOURCE / "docs/architecture.md").read_text()
        for name in re.findall(r"`((?:hawser|hub|cli|tests|scripts)/[\w/]+\.(?:h|cpp|py))`", text):
            self.assertTrue((SOURCE / name).is_file(), name)

    def test_every_package_has_a_purpose(self):
        for line in (SOURCE / "packages.txt").read_text().splitlines():
            if not line.startswith("#"):
                self.assertRegex(line, r"^(build|test|lint|bench)\s+[a-z0-9.+-]+$")


if __name__ == "__main__":
    unittest.main()
