"""Blocking calls of libpq on fibers of one thread, with patch/, beside a thread for each connection."""
import json
import os
import sys

from measure.processes import output_of
from measure.turns import Turns

RATE = [("per_s", "queries/s", 0), ("client_us", "client µs of CPU", 2)]
WAIT = [("bytes_each", "bytes each", 0), ("all_s", "s for all", 3)]
KINDS = {"a thread each": "threads", "hawser, fibers of one thread": "fibers"}


def queries(rig):
    sys.path.insert(0, os.path.join(rig.source, "../tests/patch"))
    import servers

    path = rig.programs.find("bench_queries")
    if not path:
        print("\nbench: libpq is not installed, queries are left out")
        return
    try:
        server = servers.Postgres()
    except FileNotFoundError as error:
        print(f"\nbench: {error}, queries are left out")
        return
    environment = server.environment

    def take(kind, *options):
        return lambda: json.loads(output_of([path, kind, *options], env=environment))

    try:
        conns = 4 if rig.scale.smoke else 64
        Turns(rig, "queries", f"PostgreSQL through libpq, SELECT 1, {conns} connections", RATE, ["a thread each"]).measure({
            name: take(kind, "--conns", str(conns), "--ms", str(rig.scale.milliseconds)) for name, kind in KINDS.items()})
        conns = 4 if rig.scale.smoke else 200
        Turns(rig, "queries", f"{conns} connections that wait in pg_sleep(0.5)", WAIT, ["a thread each"], less=True).measure({
            name: take(kind, "--conns", str(conns), "--sleep", "1") for name, kind in KINDS.items()})
    finally:
        server.close()


PARTS = {"queries": queries}
