"""The servers that a load is put on: ours, the limits, the peers."""
import dataclasses
import os
import shutil
import subprocess
import time

from measure.processes import free_port, on_cores, stop, wait_for

PYTHONS = ("/usr/bin/python3", shutil.which("python3"))


@dataclasses.dataclass
class Server:
    """A command; {port} in it is replaced. Runs on core 0, or on those given."""
    name: str
    command: list
    cores: tuple = (0,)
    environment: dict = dataclasses.field(default_factory=dict)
    limit: bool = False

    def started(self, rig, datagrams=False):
        return Running(self, rig, datagrams)


class Running:
    """A context manager that ends exactly the process it started."""

    def __init__(self, server, rig, datagrams):
        self.rig, self.port = rig, free_port()
        self.said = f"{rig.folder}/said"
        words = [str(word).format(port=self.port) for word in server.command]
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(words, preexec_fn=on_cores(server.cores), stdin=subprocess.DEVNULL,
                                            stdout=said, stderr=said, env={**os.environ, **server.environment})
        self.datagrams = datagrams

    def __enter__(self):
        try:
            self.ready()
        except RuntimeError as error:
            stop(self.process)
            raise RuntimeError(self.lines()[-1] if self.lines() else str(error)) from None
        for line in self.lines():
            if line.startswith("engine\t"):
                self.rig.results.note_engine(line.partition("\t")[2])
        return self

    def __exit__(self, *_):
        stop(self.process)

    def ready(self):
        if self.datagrams:
            wait_for_datagrams(self.port, self.process)
        else:
            wait_for(self.port, self.process)

    def lines(self):
        with open(self.said) as said:
            return [line.rstrip("\n") for line in said if line.strip()]


def wait_for_datagrams(port, process):
    """Until the process has a UDP socket there: the kernel lists them."""
    wanted = f":{port:04X} "
    for _ in range(500):
        with open("/proc/net/udp") as sockets:
            if any(wanted in line for line in sockets):
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"no UDP socket on {port}")


def python_with(module):
    """A Python that has the module; the one we run on may be another than the system's."""
    for python in PYTHONS:
        if python and os.path.exists(python) and subprocess.run(
                [python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return python
    return None


def one(rig, name, program, *words, **how):
    """A server that was built here; None stands for one that was left out."""
    path = rig.programs.find(program)
    return name, path and Server(name, [path, *words], **how)


def ours(rig, program, *words):
    found = [one(rig, f"hawser, {name}", program, "{port}", "--engine", engine, *words)
             for name, engine in (("epoll", "epoll"), ("io_uring", "uring"))]
    return found + [one(rig, f"hawser, {name}, 2 loops, 2 cores", program, "{port}", "--engine", engine, "--loops", "2",
                        *words, cores=(0, 1)) for name, engine in (("epoll", "epoll"), ("io_uring", "uring"))]


def limits(rig):
    return [one(rig, "raw epoll (limit)", "limit_echo", "{port}", limit=True),
            one(rig, "raw io_uring (limit)", "limit_echo_uring", "{port}", limit=True)]


def gevent(rig, *words):
    python = python_with("gevent")
    return "gevent", python and Server("gevent", [python, f"{rig.source}/peers/echo_gevent.py", "{port}", *words])


def echo_servers(rig):
    if rig.scale.smoke:
        return dict(limits(rig) + ours(rig, "bench_echo"))
    one_proc, two_procs = {"GOMAXPROCS": "1"}, {"GOMAXPROCS": "2"}
    return dict(limits(rig) + ours(rig, "bench_echo") + [
        one(rig, "Asio, C++20 coroutines", "echo_asio", "{port}"),
        one(rig, "Boost.Fiber on epoll", "echo_boost_fiber", "{port}"),
        one(rig, "libuv", "echo_libuv", "{port}"),
        one(rig, "Go net", "go_echo", "{port}", environment=one_proc),
        one(rig, "Go net, 2 cores", "go_echo", "{port}", environment=two_procs, cores=(0, 1)),
        gevent(rig)])


def frame_servers(rig):
    found = limits(rig) + ours(rig, "bench_frames")
    if not rig.scale.smoke:
        found += [one(rig, "Go net, encoding/json", "go_frames", "{port}", environment={"GOMAXPROCS": "1"}),
                  gevent(rig, "frames")]
    return {(name.replace("(limit)", "echo of the same bytes (limit)")): server for name, server in found}


def datagram_servers(rig):
    found = [one(rig, "raw recvmmsg and sendmmsg (limit)", "limit_datagrams", "{port}"),
             one(rig, "raw recvfrom and sendto (limit)", "limit_datagrams", "{port}", "--batch", "1")]
    for name, engine in (("epoll", "epoll"), ("io_uring", "uring")):
        found += [one(rig, f"hawser, {name}, receive_many and send_many", "bench_datagrams", "{port}", "--engine", engine,
                      "--batch", "64"),
                  one(rig, f"hawser, {name}, recv_from and send_to", "bench_datagrams", "{port}", "--engine", engine,
                      "--batch", "1")]
    if not rig.scale.smoke:
        found.append(one(rig, "Go net", "go_datagrams", "{port}", environment={"GOMAXPROCS": "1"}))
    return dict(found)
