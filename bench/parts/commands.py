"""Small commands through a hub, beside starting them oneself."""
import functools
import time

from measure.processes import output_of
from measure.turns import Turns
from parts.hub import Hub

COLUMNS = [("per_s", "commands/s", 0)]


def commands(rig):
    length = ["--ms", str(rig.scale.milliseconds)]
    with Hub(rig, plain=False) as hub:

        def limit(at_once):
            return {"per_s": float(output_of([rig.programs["limit_commands"], "--at-once", str(at_once), *length]))}

        def ours(at_once):
            return {"per_s": float(output_of([rig.programs["bench_commands"], hub.address, "--user", hub.user, *hub.pin,
                                              "--at-once", str(at_once), *length], env=hub.env))}

        for at_once in (1, 32):
            Turns(rig, "commands", f"Commands (/bin/true), {at_once} at once", COLUMNS, ["posix_spawn (limit)"]).measure({
                "posix_spawn (limit)": functools.partial(limit, at_once),
                "hawser, open connections over TLS": functools.partial(ours, at_once)})

        def typed():
            count = 1 if rig.scale.smoke else 20
            begin = time.perf_counter()
            for _ in range(count):
                hub.client("run", "--", "/bin/true")
            return {"per_s": count / (time.perf_counter() - begin)}

        Turns(rig, "commands", "Commands, a new `hawser run` for each", COLUMNS).measure({"hawser run": typed})


PARTS = {"commands": commands}
