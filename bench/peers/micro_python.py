"""The same steps in Python: gevent, where installed, the standard library's struct and json, threads."""
import concurrent.futures
import json
import os
import struct
import threading
import time


def report(group, what, begin, steps):
    print(f"{group}\t{what}\t{(time.perf_counter() - begin) * 1e9 / steps:.2f}", flush=True)


def nothing():
    pass


def greenlets():
    try:
        import gevent
        import gevent.lock
        import gevent.queue
    except ImportError:
        return
    count = 30_000

    def turn():
        for _ in range(count):
            gevent.sleep(0)

    begin = time.perf_counter()
    gevent.joinall([gevent.spawn(turn), gevent.spawn(turn)])
    report("switch", "gevent.sleep(0), 2 greenlets", begin, 2 * count)
    begin = time.perf_counter()
    for _ in range(count):
        gevent.spawn(nothing).join()
    report("spawn+join", "gevent", begin, count)
    begin = time.perf_counter()
    for _ in range(count // 1000):
        gevent.joinall([gevent.spawn(nothing) for _ in range(1000)])
    report("spawn+join", "gevent, 1000 at once", begin, count)
    lock = gevent.lock.RLock()
    begin = time.perf_counter()
    for _ in range(count):
        with lock:
            pass
    report("lock+unlock", "gevent RLock, uncontended", begin, count)
    for group, room in (("queue, both ends in one thread", 1024), ("channel without room, both ends in one thread", 0)):
        queue = gevent.queue.Queue(room) if room else gevent.queue.Channel()
        producer = gevent.spawn(lambda: [queue.put(i) for i in range(count)])
        begin = time.perf_counter()
        for _ in range(count):
            queue.get()
        report(group, f"gevent {type(queue).__name__}", begin, count)
        producer.join()


def threads():
    begin = time.perf_counter()
    for _ in range(3000):
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()
    report("spawn+join", "Python threading.Thread", begin, 3000)
    lock, count = threading.Lock(), 1_000_000
    begin = time.perf_counter()
    for _ in range(count):
        with lock:
            pass
    report("lock+unlock", "Python threading.Lock, uncontended", begin, count)


def messages():
    count = 500_000
    text = '{"size":1024}'
    begin = time.perf_counter()
    for _ in range(count):
        json.loads(text)
    report('frame header {"size":1024}, parsed', "Python json.loads", begin, count)
    for text, values in (("<i3sf", (7, b"abc", 1.5)), (">IHHQ", (1024, 7, 0x8001, 1_234_567_890_123))):
        format = struct.Struct(text)
        packed = format.pack(*values)
        begin = time.perf_counter()
        for _ in range(count):
            format.pack(*values)
        report(f"struct {text}, packed", "Python struct.Struct.pack", begin, count)
        begin = time.perf_counter()
        for _ in range(count):
            format.unpack(packed)
        report(f"struct {text}, unpacked", "Python struct.Struct.unpack", begin, count)


def itself(value):
    return value


def process_pool():
    os.sched_setaffinity(0, range(os.cpu_count()))
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(itself, range(100)))
        count, name = 2000, "Python ProcessPoolExecutor(2)"
        begin = time.perf_counter()
        for i in range(count):
            pool.submit(itself, i).result()
        report("process pool, one task and its result", name, begin, count)
        begin = time.perf_counter()
        for future in [pool.submit(itself, i) for i in range(count)]:
            future.result()
        report("process pool, each of 1000 tasks at once", name, begin, count)
        mebibyte = b"x" * (1 << 20)
        begin = time.perf_counter()
        for _ in range(100):
            pool.submit(itself, mebibyte).result()
        report("process pool, 1 MiB there and back", name, begin, 100)


os.sched_setaffinity(0, {0})
greenlets()
threads()
messages()
process_pool()
