"""All tables of a file of results as one text, and that text in its place in a page."""
import re

from measure import targets
from measure.results import markdown

BEGIN, END = "<!-- tables: bench/run --into puts them here -->\n", "<!-- end of the tables -->\n"


def text(results, parts):
    tables = sorted(results.tables.values(), key=lambda table: parts.index(table["part"]))
    return "\n".join([results.head(), targets.markdown(results), *map(markdown, tables)])


def write(path, results, parts):
    with open(path) as page:
        old = page.read()
    new, found = re.subn(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{text(results, parts)}\n{END}", old,
                         flags=re.DOTALL)
    if not found:
        raise SystemExit(f"{path} has no marks:\n{BEGIN}{END}")
    with open(path, "w") as page:
        page.write(new)


def broken(results):
    """What should have run and did not. That something is not installed, that a kernel has no io_uring or a user may open
    but few files is no fault."""
    return [f"{table['title']}: {name}: {why}" for table in results.tables.values()
            for name, why in table["left_out"].items()
            if not re.match("not installed$|no engine|io_uring_setup|.*Too many open files", why)]
