"""What the smallest steps cost: programs that print "group <TAB> what <TAB> nanoseconds", one table a group."""
from measure.processes import output_of
from measure.turns import Turns
from parts.servers import python_with

COLUMNS = [("ns", "ns", 1)]


def programs(rig):
    """Name -> command and environment."""
    found = {name: ([path], {}) for name in ("limit_micro", "bench_micro") if (path := rig.programs.find(name))}
    if rig.scale.smoke:
        return found
    for name in ("micro_threads", "micro_boost_fiber", "micro_queues", "micro_pools"):
        if path := rig.programs.find(name):
            found[name] = ([path], {})
    if path := rig.programs.find("go_micro"):
        for count in ("1", "2"):
            found[f"go_micro {count}"] = ([path], {"GOMAXPROCS": count})
    found["micro_python"] = ([python_with("gevent") or python_with("json"), f"{rig.source}/peers/micro_python.py"], {})
    return found


def tables(rig, part, commands, on_one_core=False):
    """One for each group of what the commands print. What runs on one core does not mind how far the other is."""
    measure = (lambda take: (take(), True)) if on_one_core else rig.cores.when_near
    scale = {"HAWSER_BENCH_SCALE": "0.001"} if rig.scale.smoke else {}
    groups = {}
    for _ in range(rig.scale.runs):
        for command, environment in commands.values():
            said, near = measure(lambda: output_of(command, env={**environment, **scale}))
            for line in said.splitlines():
                group, what, ns = line.split("\t")
                groups.setdefault(group, {}).setdefault(what, []).append(({"ns": float(ns)}, near))
    for group, rows in groups.items():
        limit = [what for what in rows if what.endswith("(limit)")]
        turns = Turns(rig, part, f"{group[0].upper()}{group[1:]}", COLUMNS, limit, less=True)
        for what, runs in rows.items():
            for run in runs if rig.wants(what) else ():
                turns.add(what, run)
        turns.show()


def micro(rig):
    tables(rig, "micro", programs(rig))


PARTS = {"micro": micro}
