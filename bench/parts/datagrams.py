"""UDP servers that send back what they get."""
import functools
import json

from measure.processes import output_of
from measure.turns import Turns
from parts import servers

COLUMNS = [("per_s", "datagrams/s", 0), ("server_us", "server µs of CPU", 2), ("lost_percent", "% lost", 2)]


def load(rig, server, size):
    with server.started(rig, datagrams=True) as running:
        return json.loads(output_of(
            [rig.programs["bench_datagram_load"], str(running.port), "--pid", str(running.process.pid), "--ms",
             str(rig.scale.milliseconds), "--size", str(size)], core=1))


def datagrams(rig):
    for size in (64, 1024):
        found = servers.datagram_servers(rig)
        Turns(rig, "datagrams", f"UDP echo, {size} bytes, 64 in flight", COLUMNS,
              base=[name for name in found if name.endswith("(limit)")]).measure(
            {name: server and functools.partial(load, rig, server, size) for name, server in found.items()})


PARTS = {"datagrams": datagrams}
