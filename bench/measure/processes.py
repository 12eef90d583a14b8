"""Programs that are measured: where they are, on which core they run, how they are started and ended."""
import os
import shutil
import socket
import subprocess
import time


def on_cores(cores):
    """For preexec_fn: these of the cores that we may use, counted round."""
    ours = sorted(os.sched_getaffinity(0))
    wanted = {ours[core % len(ours)] for core in cores}
    return lambda: os.sched_setaffinity(0, wanted)


def output_of(command, core=None, env=None, shell=False, seconds=300):
    """What the command prints. Its failure is a RuntimeError with the last line it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, shell=shell,
                          env={**os.environ, **(env or {})}, preexec_fn=None if core is None else on_cores((core,)))
    if done.returncode:
        raise RuntimeError(([line for line in (done.stderr or done.stdout).splitlines() if line]
                            or [f"exit {done.returncode}"])[-1])
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, seconds=10):
    """Until the process listens there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{os.path.basename(process.args[0])} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{process.args[0]} does not listen on {port}")


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Programs:
    """What was built for the benchmarks, by name."""

    def __init__(self, build):
        self.folders = [f"{build}/bench", f"{build}/bench/peers", build]

    def find(self, name):
        """Its path; None when it was left out, as a peer whose library is not installed."""
        return shutil.which(name, path=":".join(self.folders))

    def __getitem__(self, name):
        if path := self.find(name):
            return path
        raise SystemExit(f"{name} is not in {self.folders[0]}: build it first (make bench, or the target bench_programs)")
