"""Measuring in turns: the programs that are compared take turns, run after run, so that a machine that changes changes
for all of them."""
import subprocess
import sys

from measure.results import markdown, median


class Turns:
    """One table. A row's measurement gives {key: figure}."""

    def __init__(self, rig, part, title, columns, base=(), less=False):
        self.rig = rig
        self.table = {"part": part, "title": title, "columns": columns, "base": list(base), "less": less, "rows": {},
                      "left_out": {}, "cores_ns": []}

    def measure(self, rows):
        """`rows` is {name: measurement}; None for one that cannot be measured here."""
        rows = {name: take for name, take in rows.items() if self.rig.wants(name)}
        left_out = self.table["left_out"]
        left_out.update({name: "not installed" for name, take in rows.items() if take is None})
        for _ in range(self.rig.scale.runs):
            for name, take in rows.items():
                if name in left_out:
                    continue
                try:
                    self.add(name, self.rig.cores.when_near(take))
                except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
                    left_out[name] = str(error)
                    self.table["rows"].pop(name, None)
        self.show()

    def add(self, name, run):
        figures, near = run
        self.table["rows"].setdefault(name, []).append({**figures, "near": near})

    def show(self):
        if self.table["less"]:
            key = self.table["columns"][0][0]
            self.table["rows"] = dict(sorted(self.table["rows"].items(), key=lambda row: median(row[1], key)))
        self.table["cores_ns"] = self.rig.cores.seen_since_last_asked()
        self.rig.results.add(self.table)
        print("\n" + markdown(self.table), end="")
        sys.stdout.flush()
