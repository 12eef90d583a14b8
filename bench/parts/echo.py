"""Echo servers and servers of frames: rate, and CPU of the server for each message, under several loads."""
import functools
import json

from measure.processes import output_of
from measure.turns import Turns
from parts import servers

RATE = [("per_s", "messages/s", 0), ("server_us", "server µs of CPU", 2), ("p50_us", "p50 µs", 0), ("p99_us", "p99 µs", 0)]
CHURN = [("per_s", "connections/s", 0), ("server_us", "server µs of CPU", 2), ("p50_us", "p50 µs", 0),
         ("p99_us", "p99 µs", 0)]
IDLE = [("bytes_per_connection", "bytes a connection", 0), ("opened_per_s", "opened/s", 0),
        ("idle_cpu_percent", "% CPU while idle", 2)]

LOADS = {
    "echo-one": ("Echo, 1 connection × 64 bytes", "--conns 1 --size 64"),
    "echo-spin": ("Echo, 1 connection × 64 bytes, the client spins", "--conns 1 --size 64 --spin 1"),
    "echo-64": ("Echo, 64 connections × 64 bytes", "--conns 64 --size 64"),
    "echo-1k": ("Echo, 64 connections × 1 KiB", "--conns 64 --size 1024"),
    "echo-16k": ("Echo, 64 connections × 16 KiB", "--conns 64 --size 16384"),
    "echo-pipelined": ("Echo, 64 connections × 64 bytes, 16 in flight on each", "--conns 64 --size 64 --depth 16"),
    "echo-1000": ("Echo, 1000 connections × 64 bytes", "--conns 1000 --size 64"),
}


def load(rig, server, options):
    """One run against a fresh server."""
    with server.started(rig) as running:
        return json.loads(output_of(
            [rig.programs["bench_load"], str(running.port), "--pid", str(running.process.pid), "--ms",
             str(rig.scale.milliseconds), *options.split()], core=1))


def measure(rig, part, title, options, found, columns, less=False):
    rows = {name: server and functools.partial(load, rig, server, options) for name, server in found.items()}
    base = [name for name, server in found.items() if server and server.limit]
    Turns(rig, part, title, columns, base, less).measure(rows)


def echo(part, rig):
    title, options = LOADS[part]
    found = servers.echo_servers(rig)
    if part in ("echo-one", "echo-spin"):
        name, spinning = servers.one(rig, "raw epoll that spins (limit)", "limit_echo", "{port}", "spin", limit=True)
        found = {name: spinning, **found}
    measure(rig, part, title, options, found, RATE)


def churn(rig):
    measure(rig, "churn", "Connections that come, say 64 bytes and go, 64 at once", "--conns 64 --size 64 --churn 1",
            servers.echo_servers(rig), CHURN)


def idle(rig):
    found = {name: server for name, server in servers.echo_servers(rig).items() if not (server and server.limit)}
    measure(rig, "idle", f"Memory of the server for each of {rig.scale.idle:,} idle connections",
            f"--conns {rig.scale.idle} --idle 1", found, IDLE, less=True)


def frames(rig):
    measure(rig, "frames", "Frames, 64 connections × 1 KiB body", "--conns 64 --size 1024 --frames 1",
            servers.frame_servers(rig), RATE)


PARTS = {**{part: functools.partial(echo, part) for part in LOADS}, "churn": churn, "idle": idle, "frames": frames}
