"""A process, a thread and, where gevent is installed, a greenlet of Python: to begin one, and to hand over the turn."""
import multiprocessing
import os
import threading
import time

BEGIN = "process, thread, fiber: begin one and see its end"
SWITCH = "process, thread, fiber: hand over the turn on one core"

fork = multiprocessing.get_context("fork")


def report(group, what, begin, steps):
    print(f"{group}\t{what}\t{(time.perf_counter() - begin) * 1e9 / steps:.2f}", flush=True)


def nothing():
    pass


def begin(what, kind, count):
    began = time.perf_counter()
    for _ in range(count):
        one = kind(target=nothing)
        one.start()
        one.join()
    report(BEGIN, what, began, count)


def bounce(send, receive, turns):
    for _ in range(turns):
        send()
        receive()


def hand_over(what, here, other, turns):
    """`here` is our way to send and to receive; `other` bounces what we send."""
    other.start()
    began = time.perf_counter()
    bounce(*here, turns)
    report(SWITCH, what, began, 2 * turns)
    other.join()


def processes():
    begin("process, Python multiprocessing.Process", fork.Process, 300)
    near, far = fork.Pipe()
    turns = 20_000
    other = fork.Process(target=bounce, args=(far.recv_bytes, lambda: far.send_bytes(b"x"), turns))
    hand_over("processes, Python multiprocessing.Pipe", (lambda: near.send_bytes(b"x"), near.recv_bytes), other, turns)


def threads():
    begin("thread, Python threading.Thread", threading.Thread, 3000)
    there, back = threading.Semaphore(0), threading.Semaphore(0)
    turns = 20_000
    other = threading.Thread(target=bounce, args=(there.acquire, back.release, turns))
    hand_over("threads, Python threading.Semaphore", (there.release, back.acquire), other, turns)


def greenlets():
    try:
        import gevent
    except ImportError:
        return
    count = 30_000
    began = time.perf_counter()
    for _ in range(count):
        gevent.spawn(nothing).join()
    report(BEGIN, "fiber, gevent", began, count)
    turn = [gevent.spawn(lambda: [gevent.sleep(0) for _ in range(count)]) for _ in range(2)]
    began = time.perf_counter()
    gevent.joinall(turn)
    report(SWITCH, "fibers, gevent.sleep(0)", began, 2 * count)


os.sched_setaffinity(0, {0})
processes()
threads()
greenlets()
