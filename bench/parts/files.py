"""One large file through a hub, beside copies that verify nothing and servers of other people."""
import contextlib
import functools
import os
import time

from measure.processes import output_of, stop
from measure.turns import Turns
from parts import file_servers
from parts.hub import Hub


def warm_up(path, mib):
    """The first touch of memory that the host has taken back costs more than the copy that is measured."""
    with open(path, "wb") as out:
        for _ in range(mib):
            out.write(b"\0" * (1 << 20))
    os.unlink(path)


class Transfers:
    def __init__(self, rig):
        self.rig, self.mib = rig, rig.scale.mib
        self.source, self.copy = f"{rig.folder}/big", f"{rig.folder}/copy"
        with open(self.source, "wb") as out:
            for _ in range(self.mib):
                out.write(os.urandom(1 << 20))

    def timed(self, action, check):
        warm_up(f"{self.rig.folder}/warm", self.mib)
        begin = time.perf_counter()
        action()
        seconds = time.perf_counter() - begin
        check()
        return {"gb_per_s": (self.mib << 20) / 1e9 / seconds}

    def whole(self):
        if os.path.getsize(self.copy) != self.mib << 20:
            raise RuntimeError("the copy has the wrong size")
        os.unlink(self.copy)

    def tool(self, command):
        line = command.format(src=self.source, dst=self.copy)
        return functools.partial(self.timed, lambda: output_of(line, shell=True), self.whole)

    def get(self, hub):
        return self.timed(lambda: hub.client("get", "big", self.copy), self.whole)

    def put(self, hub):
        return self.timed(lambda: hub.client("put", self.source, "copy"), lambda: hub.client("rm", "copy"))


def files(rig):
    transfers = Transfers(rig)
    rows = {"sendfile → splice (limit)": transfers.tool(rig.programs["limit_transfer"] + " {src} {dst}"),
            "cp": transfers.tool("cp --reflink=never {src} {dst}")}
    with contextlib.ExitStack() as running:
        if not rig.scale.smoke:
            processes, commands = file_servers.installed(rig.fresh_folder("peers"), rig.folder)
            for process in processes:
                running.callback(stop, process)
            rows.update({name: transfers.tool(command) for name, command in commands.items()})
        for name, plain in (("plain", True), ("TLS", False)):
            hub = running.enter_context(Hub(rig, plain))
            hub.client("put", transfers.source, "big")
            rows[f"hawser get, {name}, verified"] = functools.partial(transfers.get, hub)
            rows[f"hawser put, {name}, verified and synced"] = functools.partial(transfers.put, hub)
        Turns(rig, "files", f"One file of {transfers.mib} MiB, in memory", [("gb_per_s", "GB/s", 2)],
              ["sendfile → splice (limit)"]).measure(rows)


PARTS = {"files": files}
