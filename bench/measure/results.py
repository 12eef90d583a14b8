"""What was measured, as plain values that JSON keeps, and as Markdown.

A table is {"part", "title", "columns": [[key, heading, digits], …], "base", "less", "rows": {name: [{key: figure, …},
…]}, "left_out": {name: why}, "cores_ns": [nearest, farthest]}. Each row has its runs. The first column is the one that
ratios are of; `base` names the rows of which the best is the 1.00 of the table; with `less` the smallest is the best.
"""
import json
import os
import statistics


def comparable(runs):
    """Those with the cores near each other; all, when there is none."""
    return [run for run in runs if run["near"]] or runs


def is_near(runs):
    return any(run["near"] for run in runs)


def median(runs, key):
    return statistics.median(run[key] for run in comparable(runs))


def best_of(table, names, key, near=True):
    """The best median among the rows of these names that were measured with the cores near each other (or, not near,
    among those measured while they were far); None when there is none."""
    rows = [table["rows"][name] for name in names if name in table["rows"]]
    figures = [median(runs, key) for runs in rows if is_near(runs) == near]
    return (min if table["less"] else max)(figures, default=None)


def markdown(table):
    key, heading, digits = table["columns"][0]
    base = {near: best_of(table, table["base"], key, near) for near in (True, False)}
    ratios = any(base.values())
    heads = [heading, "least – most"] + ["ratio"] * ratios + [column[1] for column in table["columns"][1:]]
    lines = [f"### {table['title']}", "", f"| what | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for name, runs in table["rows"].items():
        figures, near = [run[key] for run in comparable(runs)], is_near(runs)
        far = "" if near else " (far)"
        cells = [f"{median(runs, key):,.{digits}f}{far}", f"{min(figures):,.{digits}f} – {max(figures):,.{digits}f}"]
        if ratios:
            cells.append(f"{median(runs, key) / base[near]:.2f}" if base[near] else "")
        cells += [f"{median(runs, other):,.{places}f}" for other, _, places in table["columns"][1:]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if table["left_out"]:
        lines += ["", "Left out: " + "; ".join(f"{name} ({why})" for name, why in table["left_out"].items()) + "."]
    return "\n".join(lines) + "\n"


class Results:
    """All tables by their titles, in a file (if there is one) that several calls can gather parts in."""

    def __init__(self, path=None):
        self.path = path
        self.kept = {"machine": "", "engines": [], "tables": {}}
        if path and os.path.exists(path):
            with open(path) as file:
                self.kept = json.load(file)

    @property
    def tables(self):
        return self.kept["tables"]

    def add(self, table):
        self.tables[table["title"]] = table
        self.keep()

    def note_machine(self, text):
        self.kept["machine"] = text

    def note_engine(self, text):
        """What a server of ours has said of its engine."""
        if text not in self.kept["engines"]:
            self.kept["engines"].append(text)

    def keep(self):
        if not self.path:
            return
        with open(self.path + ".new", "w") as file:
            json.dump(self.kept, file, indent=1)
        os.replace(self.path + ".new", self.path)

    def head(self):
        """What was measured on, as a list."""
        lines = [f"- Machine: {self.kept['machine']}"]
        if self.kept["engines"]:
            lines.append(f"- Engines: {'; '.join(self.kept['engines'])}")
        seen = [ns for table in self.tables.values() for ns in table["cores_ns"]]
        rows = [runs for table in self.tables.values() for runs in table["rows"].values()]
        far = sum(not is_near(runs) for runs in rows)
        if seen:
            lines.append(f"- Cores: a cache line went over in {min(seen):.0f} to {max(seen):.0f} ns; {far} of {len(rows)} "
                         "rows were never measured with the cores near each other, and are marked (far)")
        return "\n".join(lines) + "\n"
