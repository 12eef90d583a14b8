"""The floors of the house: a folder may include only itself and the folders below it. See docs/architecture.md."""
import os
import re
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))

# From the ground up. hawser/hawser.h stands for the whole library; what lies directly in hub/ is the server program.
FLOORS = [
    "hawser/base", "hawser/fiber", "hawser/sync", "hawser/net", "hawser/wire", "hawser/tls", "hawser/task",
    "hawser/process", "hawser/serve", "hawser", "patch", "hub/store", "hub/service", "hub/doors", "hub", "cli",
]
# What a floor must not name although it lies below: the first has no business with SQL, the second none with sockets.
# inet_pton(3) and inet_ntop(3) turn text into bits and back, and touch none.
SQL = re.compile(r"sqlite3\.h|hub/store/sqlite.*|hub/store/.*(sql|schema|statement).*")
SOCKETS = re.compile(
    r"hawser/(net/(?!stream\.h).*|tls/.*|serve/.*|wire/frame.*)|sys/(socket|un)\.h|(netinet|arpa(?!/inet\.h)|net)/.*|netdb\.h|openssl/ssl\.h"
)
FORBIDDEN = {"hub/doors": SQL, "hub": SQL, "cli": SQL, "hub/service": SOCKETS}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')


def floor_of(path: str) -> str | None:
    """The floor that a path below the top of the project lies on; None for what is no part of the house."""
    found = [floor for floor in FLOORS if path.startswith(floor + "/")]
    return max(found, key=len, default=None)


def transgressions(top: Path) -> list[str]:
    found = []
    for file in sorted(file for folder in ("hawser", "patch", "hub", "cli") for file in (top / folder).rglob("*.*")):
        if file.suffix not in (".h", ".cpp"):
            continue
        name = file.relative_to(top).as_posix()
        here = floor_of(name)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not (match := INCLUDE.match(line)):
                continue
            included = match[1] or match[2]
            there = floor_of(included)
            if there and FLOORS.index(there) > FLOORS.index(here):
                found.append(f"{name}:{number}: {here} includes {included}, which lies above it")
            elif here in FORBIDDEN and FORBIDDEN[here].fullmatch(included):
                found.append(f"{name}:{number}: {here} must not know {included}")
            elif there and not (top / included).is_file():
                found.append(f"{name}:{number}: {included} does not exist")
            elif match[2] and not (there or "").startswith(("hub", "cli")):
                found.append(f"{name}:{number}: write <{included}> or the path from the top of the project")
    return found


class Floors(unittest.TestCase):
    def test_nothing_includes_upward(self):
        self.assertEqual(transgressions(SOURCE), [])

    def test_every_folder_has_a_floor(self):
        for folder in ("hawser", "patch", "hub", "cli"):
            for file in (SOURCE / folder).rglob("*.h"):
                self.assertIsNotNone(floor_of(file.relative_to(SOURCE).as_posix()), file)
                if folder == "hawser" and file.name != "hawser.h":
                    self.assertNotEqual(floor_of(file.relative_to(SOURCE).as_posix()), "hawser", f"{file} has no floor")


class BadTrees(unittest.TestCase):
    """The check itself sees what it is there for."""

    def complaints(self, files: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_text(text)
            return transgressions(Path(folder))

    def test_an_upward_include_is_named_with_its_line(self):
        found = self.complaints({
            "hawser/net/socket.h": "",
            "hawser/base/fd.h": "#pragma once\n\n# include <hawser/net/socket.h>\n",
        })
        self.assertEqual(
            found, ["hawser/base/fd.h:3: hawser/base includes hawser/net/socket.h, which lies above it"])

    def test_the_library_knows_neither_the_programs_nor_its_own_umbrella(self):
        found = self.complaints({
            "hub/hub.h": "", "hawser/hawser.h": "",
            "hawser/serve/a.cpp": '#include "hub/hub.h"\n#include <hawser/hawser.h>\n',
        })
        self.assertEqual(len(found), 2, found)

    def test_the_hub_does_not_know_the_command_line(self):
        self.assertEqual(len(self.complaints({"cli/home.h": "", "hub/a.cpp": '#include "cli/home.h"\n'})), 1)

    def test_doors_know_no_sql(self):
        found = self.complaints({
            "hub/store/sqlite_store.h": "", "hub/doors/a.cpp": '#include <sqlite3.h>\n#include "hub/store/sqlite_store.h"\n'})
        self.assertEqual(len(found), 2, found)

    def test_services_know_no_sockets(self):
        found = self.complaints({
            "hawser/net/socket.h": "", "hub/service/a.cpp": "#include <sys/socket.h>\n#include <hawser/net/socket.h>\n"})
        self.assertEqual(len(found), 2, found)

    def test_downward_includes_are_fine(self):
        self.assertEqual(self.complaints({
            "hawser/base/fd.h": "", "hub/service/files.h": "",
            "hub/doors/a.cpp": '#include <vector>\n#include <hawser/base/fd.h>\n#include "hub/service/files.h"\n',
        }), [])


class Umbrella(unittest.TestCase):
    def test_it_includes_every_public_header(self):
        included = set(INCLUDE.match(line)[1] for line in (SOURCE / "hawser/hawser.h").read_text().splitlines()
                       if INCLUDE.match(line))
        public = set()
        for header in (SOURCE / "hawser").glob("*/*.h"):
            about = header.read_text().split("#pragma once")[0]
            if not re.search(r"\bInternal\b", about):
                public.add(header.relative_to(SOURCE).as_posix())
        self.assertEqual(included, public)


if __name__ == "__main__":
    unittest.main()
