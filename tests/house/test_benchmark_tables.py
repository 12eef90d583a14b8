"""What bench/run makes of figures: tables, ratios, targets, its place in a page."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "bench"))

from measure import page, targets  # noqa: E402
from measure.machine import Cores  # noqa: E402
from measure.results import Results, best_of, markdown, median  # noqa: E402


def runs(*figures, near=True):
    return [{"per_s": figure, "near": near} for figure in figures]


def table(rows, base=("limit",), less=False, title="A table", part="one"):
    return {"part": part, "title": title, "columns": [["per_s", "messages/s", 0]], "base": list(base), "less": less,
            "rows": rows, "left_out": {}, "cores_ns": [30, 40]}


def cells(text, row):
    return next(line for line in text.splitlines() if line.startswith(f"| {row} |")).strip("|").split(" | ")[1:]


class Tables(unittest.TestCase):
    def test_a_row_has_median_extent_and_ratio_to_the_base(self):
        text = markdown(table({"limit": runs(100, 300, 200), "ours": runs(90, 120, 100)}))
        self.assertEqual([cell.strip() for cell in cells(text, "ours")], ["100", "90 – 120", "0.50"])

    def test_the_base_is_the_best_of_its_rows(self):
        rows = {"a": runs(5), "b": runs(7)}
        self.assertEqual(best_of(table(rows), ("a", "b"), "per_s"), 7)
        self.assertEqual(best_of(table(rows, less=True), ("a", "b"), "per_s"), 5)

    def test_runs_with_far_cores_do_not_count_where_there_are_near_ones(self):
        self.assertEqual(median(runs(100) + runs(10, 20, near=False), "per_s"), 100)

    def test_a_row_that_was_never_near_is_marked_and_not_compared_with_one_that_was(self):
        text = markdown(table({"limit": runs(100), "ours": runs(50, near=False)}))
        self.assertEqual([cell.strip() for cell in cells(text, "ours")], ["50 (far)", "50 – 50", ""])

    def test_what_is_left_out_is_named_with_its_reason(self):
        made = table({"limit": runs(1)})
        made["left_out"] = {"Go": "not installed"}
        self.assertIn("Left out: Go (not installed).", markdown(made))


class Targets(unittest.TestCase):
    TARGET = targets.Target("rate", "A table", "per_s", ("ours", "ours too"), 0.95, ("limit",))

    def judged(self, rows, target=TARGET):
        return targets.judged(target, table(rows))

    def test_the_better_engine_counts(self):
        self.assertEqual(self.judged({"limit": runs(100), "ours": runs(50), "ours too": runs(96)}),
                         ["≥ 0.95", "0.96", "reached"])

    def test_a_miss_says_by_how_much(self):
        self.assertEqual(self.judged({"limit": runs(100), "ours": runs(76)})[2], "missed by 20%")

    def test_far_is_held_against_far_only(self):
        rows = {"limit": runs(100), "ours": runs(70, near=False)}
        self.assertIsNone(self.judged(rows))
        self.assertEqual(self.judged({**rows, "limit": runs(100) + runs(70, near=False)}), None)

    def test_a_bound_may_stand_alone(self):
        target = targets.Target("ns", "A table", "per_s", ("ours",), 12, at_least=False, digits=1)
        self.assertEqual(self.judged({"ours": runs(9)}, target), ["≤ 12.0", "9.0", "reached"])

    def test_every_target_names_a_table_once_with_another_aim(self):
        self.assertEqual(len({target.what for target in targets.TARGETS}), len(targets.TARGETS))


class Gathered(unittest.TestCase):
    def test_parts_of_several_calls_come_together_in_the_order_of_the_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            file, text = f"{folder}/results.json", f"{folder}/page.md"
            for part in ("two", "one"):
                results = Results(file)
                results.note_machine("a machine")
                results.add(table({"limit": runs(1)}, title=f"Table {part}", part=part))
            Path(text).write_text(f"before\n{page.BEGIN}old\n{page.END}after\n")
            page.write(text, Results(file), ["one", "two"])
            written = Path(text).read_text()
        self.assertTrue(written.startswith("before\n") and written.endswith("after\n"), written)
        self.assertNotIn("old", written)
        self.assertLess(written.index("### Table one"), written.index("### Table two"))
        self.assertIn("- Machine: a machine\n", written)

    def test_a_page_without_marks_is_left_alone(self):
        with tempfile.NamedTemporaryFile("w+") as file:
            with self.assertRaises(SystemExit):
                page.write(file.name, Results(), [])


class Distance(unittest.TestCase):
    def cores(self, *distances):
        made = Cores("no probe", patience=1)
        left = list(distances)
        made.distance_ns = lambda: left.pop(0)
        return made

    def test_a_run_is_repeated_when_the_cores_were_far_after_it(self):
        figures = iter([1, 2])
        self.assertEqual(self.cores(30, 300, 30, 30).when_near(lambda: next(figures)), (2, True))


if __name__ == "__main__":
    unittest.main()
