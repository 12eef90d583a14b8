"""What hawser is to reach, as ratios within one table or as figures, and whether it did."""
import dataclasses

from measure.results import best_of

OURS = ("hawser, epoll", "hawser, io_uring")
RAW = ("raw epoll (limit)", "raw io_uring (limit)")
RAW_BYTES = ("raw epoll echo of the same bytes (limit)", "raw io_uring echo of the same bytes (limit)")


@dataclasses.dataclass
class Target:
    """The best of `ours` in the table, against the best of `against` times `bound`, or against `bound` alone."""
    what: str
    title: str
    key: str
    ours: tuple
    bound: float
    against: tuple = ()
    at_least: bool = True
    digits: int = 2


def rate(title, bound=1.0, against=RAW, ours=OURS, words="the better raw loop"):
    return Target(f"{title}: rate, of {words}", title, "per_s", ours, bound, against)


def at_most(what, title, key, ours, bound, against=(), digits=1):
    return Target(what, title, key, ours, bound, against, at_least=False, digits=digits)


def micro(what, group, ours, bound):
    return at_most(f"{what}, ns", group, "ns", (ours,), bound)


def file_rate(wire, bound, against):
    return Target(f"A file over {wire}, verified: of {against}", "One file of 512 MiB, in memory", "gb_per_s",
                  (f"hawser get, {wire}, verified", f"hawser put, {wire}, verified and synced"), bound, (against,))


TARGETS = [
    rate("Echo, 64 connections × 64 bytes"),
    at_most("Echo, 64 connections × 64 bytes: server µs of CPU a message, of the better raw loop",
            "Echo, 64 connections × 64 bytes", "server_us", OURS, 1.0, RAW, 2),
    rate("Echo, 64 connections × 64 bytes", 0.97, RAW[:1], OURS[:1], "raw epoll, our epoll engine"),
    rate("Echo, 64 connections × 16 KiB"),
    rate("Echo, 1000 connections × 64 bytes"),
    rate("Echo, 1 connection × 64 bytes, the client spins", 2.0, ("Asio, C++20 coroutines",), OURS, "Asio"),
    at_most("A connection that comes, says 64 bytes and goes: server µs of CPU, of the better raw loop",
            "Connections that come, say 64 bytes and go, 64 at once", "server_us", OURS, 1.08, RAW, 2),
    at_most("An idle connection, bytes", "Memory of the server for each of 10,000 idle connections",
            "bytes_per_connection", OURS, 5000, digits=0),
    rate("Frames, 64 connections × 1 KiB body", 0.95, RAW_BYTES, OURS, "raw bytes"),
    micro("A switch", "Switch", "hawser yield, 2 fibers", 12),
    micro("Spawn and join", "Spawn+join", "hawser", 120),
    micro("Spawn and join, 1000 at once", "Spawn+join", "hawser, 1000 at once", 70),
    micro("Lock and unlock", "Lock+unlock", "hawser, uncontended", 6),
    micro("A value through a queue in one thread", "Queue, both ends in one thread", "hawser Queue", 10),
    micro("A value through a queue between cores", "Queue, 1 producer 1 consumer, 2 cores", "hawser Queue", 33),
    micro("A task to another process and its result", "Process pool, one task and its result", "hawser ProcessPool(2)",
          45_000),
    micro("A task to another process, of 1000 at once", "Process pool, each of 1000 tasks at once",
          "hawser ProcessPool(2)", 5_000),
    at_most("Packing a structure, of memcpy by hand", "Struct <i3sf, packed", "ns", ("hawser pack",), 1.05,
            ("memcpy by hand (limit)",), 2),
    at_most("Unpacking a structure, of memcpy by hand", "Struct <i3sf, unpacked", "ns", ("hawser unpack",), 1.05,
            ("memcpy by hand (limit)",), 2),
    at_most("A million parked fibers, s to start", "1,000,000 parked fibers", "start_s",
            ("hawser, guarded stacks of 256 KiB",), 10),
    at_most("A million parked fibers, GiB", "1,000,000 parked fibers", "gib", ("hawser, guarded stacks of 256 KiB",), 6),
    file_rate("plain", 0.9, "sendfile → splice (limit)"),
    file_rate("TLS", 1.4, "nginx + curl, TLS 1.3 AES-128-GCM"),
    file_rate("TLS", 2.0, "scp, aes128-gcm"),
    Target("Small commands one after the other, of posix_spawn", "Commands (/bin/true), 1 at once", "per_s",
           ("hawser, open connections over TLS",), 0.75, ("posix_spawn (limit)",)),
    Target("Small commands, 32 at once, of posix_spawn", "Commands (/bin/true), 32 at once", "per_s",
           ("hawser, open connections over TLS",), 0.75, ("posix_spawn (limit)",)),
]


def figure_of(target, table):
    """The figure that the bound is for: measured near if there is one, of the same kind as what it is held against."""
    table = {**table, "less": not target.at_least}
    for near in (True, False):
        ours = best_of(table, target.ours, target.key, near)
        limit = best_of(table, target.against, target.key, near) if target.against else 1
        if ours is not None and limit:
            return ours / limit
    return None


def judged(target, table):
    """The cells of a row, or None when there is nothing to judge."""
    figure = figure_of(target, table)
    if figure is None:
        return None
    missed = (target.bound - figure if target.at_least else figure - target.bound) / target.bound
    aim = f"{'≥' if target.at_least else '≤'} {target.bound:,.{target.digits}f}"
    return [aim, f"{figure:,.{target.digits}f}", "reached" if missed <= 0 else f"missed by {missed:.0%}"]


def markdown(results):
    """Nothing when no table has anything to do with a target."""
    rows = [(target.what, judged(target, results.tables[target.title])) for target in TARGETS
            if target.title in results.tables]
    rows = [f"| {what} | {' | '.join(cells)} |" for what, cells in rows if cells]
    if not rows:
        return ""
    return "\n".join(["### What it is to reach", "", "| what | aim | figure | |", "|---|---:|---:|---|", *rows]) + "\n"
