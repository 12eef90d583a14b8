"""The machine: what it is, a network of our own on it, and whether its two cores are near each other just now."""
import ctypes
import datetime
import fcntl
import os
import platform
import re
import resource
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NEAR_NS = 100


def private_network():
    """True when we have loopback for ourselves, with the congestion control reno; only root gets it."""
    if os.getuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = bytearray(fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH22x", b"lo", 0)))
        struct.pack_into("H", request, 16, struct.unpack_from("H", request, 16)[0] | IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, bytes(request))
    try:
        with open("/proc/sys/net/ipv4/tcp_congestion_control", "w") as setting:
            setting.write("reno")
    except OSError:
        pass
    return True


def raise_file_limit(files=200_000):
    for wanted in (files, resource.getrlimit(resource.RLIMIT_NOFILE)[1]):
        try:
            return resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, OSError):
            pass


def first_match(path, pattern):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else "unknown"


def description():
    """One line for the head of the tables."""
    processor = first_match("/proc/cpuinfo", r"^model name\s*: (.*)$")
    congestion = first_match("/proc/sys/net/ipv4/tcp_congestion_control", r"(.*)")
    return (f"{platform.machine()}, {processor}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}, "
            f"TCP congestion control {congestion}, {datetime.date.today()}")


class Cores:
    """Whether core 0 and core 1 share a cache at this moment. A hypervisor moves them, and what is measured while they
    are far from each other cannot be compared with the rest: it is measured again, as long as `patience` seconds in a
    table allow, before it is taken."""

    def __init__(self, probe, patience):
        self.probe, self.patience = probe, patience
        self.spent, self.seen = 0.0, []

    def distance_ns(self):
        if len(os.sched_getaffinity(0)) < 2:
            return 0.0
        self.seen.append(float(subprocess.run([self.probe], capture_output=True, text=True, check=True).stdout))
        return self.seen[-1]

    def when_near(self, measure):
        """What measure() gives, and whether the cores were near before and after it."""
        if not self.patience:
            return measure(), False
        while True:
            begin = time.monotonic()
            if self.distance_ns() <= NEAR_NS:
                result = measure()
                if self.distance_ns() <= NEAR_NS:
                    return result, True
            elif self.spent < self.patience:
                time.sleep(0.3)
            else:
                return measure(), False
            self.spent += time.monotonic() - begin

    def seen_since_last_asked(self):
        """The nearest and the farthest, or nothing. What follows is another table."""
        seen, self.seen, self.spent = self.seen, [], 0.0
        return [min(seen), max(seen)] if seen else []
