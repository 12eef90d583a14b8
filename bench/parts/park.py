"""Very many fibers that wait."""
import json

from measure.processes import output_of
from measure.turns import Turns

COLUMNS = [("start_s", "s to start", 2), ("bytes_each", "bytes each", 0), ("gib", "GiB in all", 2), ("end_s", "s to end", 2)]


def parked(rig):
    count = rig.scale.parked

    def run(program):
        path = rig.programs.find(program)

        def take():
            figures = json.loads(output_of([path, str(count)], core=0))
            return {**figures, "gib": figures["bytes_each"] * count / 2**30}
        return path and take

    rows = {"hawser, guarded stacks of 256 KiB": run("bench_park")}
    if not rig.scale.smoke:
        rows["Go goroutines"] = run("go_park")
    Turns(rig, "parked", f"{count:,} parked fibers", COLUMNS, less=True).measure(rows)


CROWD = [("open_s", "s to open", 2), ("bytes_each", "server's bytes each", 0), ("idle_cpu_percent", "% CPU while idle", 2),
         ("answer_s", "s to answer all", 2)]


def crowd(rig):
    """More connections than one process may have descriptors."""
    count = rig.scale.idle * 10
    path = rig.programs.find("bench_crowd")

    def take(engine):
        return path and (lambda: json.loads(output_of([path, str(count), "--engine", engine])))

    rows = {"hawser, epoll": take("epoll"), "hawser, io_uring": take("uring")}
    Turns(rig, "crowd", f"{count:,} idle connections, six processes", CROWD, less=True).measure(rows)


PARTS = {"parked": parked, "crowd": crowd}
