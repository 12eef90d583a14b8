"""TLS between two threads over a socket pair."""
from measure.processes import output_of
from measure.turns import Turns


def tls(rig):
    scale = {"HAWSER_BENCH_SCALE": "0.001"} if rig.scale.smoke else {}
    groups = {}
    for _ in range(rig.scale.runs):
        said, near = rig.cores.when_near(lambda: output_of([rig.programs["bench_tls"]], env=scale))
        for line in said.splitlines():
            group, what, figure = line.split("\t")
            groups.setdefault(group, {}).setdefault(what, []).append(({"figure": float(figure)}, near))
    for group, rows in groups.items():
        turns = Turns(rig, "tls", group, [("figure", "GB/s" if "GB/s" in group else "ns", 2)])
        for what, runs in rows.items():
            for run in runs:
                turns.add(what, run)
        turns.show()


PARTS = {"tls": tls}
