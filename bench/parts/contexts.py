"""What a process, a thread and a fiber cost, side by side."""
from parts.micro import tables
from parts.servers import python_with


def contexts(rig):
    commands = {"bench_contexts": ([path], {})} if (path := rig.programs.find("bench_contexts")) else {}
    if not rig.scale.smoke:
        python = python_with("gevent") or python_with("json")
        commands["contexts_python"] = ([python, f"{rig.source}/peers/contexts_python.py"], {})
    tables(rig, "contexts", commands, on_one_core=True)


PARTS = {"contexts": contexts}
