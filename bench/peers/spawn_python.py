"""How many /bin/true a second with Python's subprocess: spawn_python.py AT_ONCE CAPTURE(0|1) MILLISECONDS"""
import subprocess
import sys
import time

at_once, capture, milliseconds = map(int, sys.argv[1:])


def start():
    return subprocess.Popen(["/bin/true"], stdout=subprocess.PIPE if capture else None)


def finish(child):
    if capture:
        child.communicate()
    child.wait()


running = [start() for _ in range(at_once)]
done = 0
begin = time.perf_counter()
while time.perf_counter() - begin < milliseconds / 1000:
    finish(running[done % at_once])
    running[done % at_once] = start()
    done += 1
print(f"{done / (time.perf_counter() - begin):.0f}")
for each in running:
    finish(each)
