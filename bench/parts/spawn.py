"""Starting programs: beside posix_spawn in C, and Python's subprocess."""
import functools
import sys

from measure.processes import output_of
from measure.turns import Turns

COLUMNS = [("per_s", "commands/s", 0)]
LIMIT = "posix_spawn (limit)"


def figure(command):
    return {"per_s": float(output_of(command))}


def spawn(rig):
    length = str(rig.scale.milliseconds)
    ours, limit = rig.programs["bench_spawn"], rig.programs["limit_commands"]
    python = [sys.executable, "-E", f"{rig.source}/peers/spawn_python.py"]
    for capture, what in ("0", "started and waited for"), ("1", "output captured"):
        for at_once in "1", "32":
            options = ["--at-once", at_once, "--capture", capture, "--ms", length]
            Turns(rig, "spawn", f"/bin/true {what}, {at_once} at once", COLUMNS, [LIMIT]).measure({
                LIMIT: functools.partial(figure, [limit, *options]),
                "hawser, fibers": functools.partial(figure, [ours, *options]),
                "hawser, threads": functools.partial(figure, [ours, "--threads", "1", *options]),
                "Python subprocess": functools.partial(figure, [*python, at_once, capture, length])})


PARTS = {"spawn": spawn}
