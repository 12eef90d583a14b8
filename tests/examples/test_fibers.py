"""The examples about fibers; one of them serves 500 threads of Python from a single one."""
import re
import resource
import signal
import threading

import examples

CLIENTS = 500


def raise_file_limit(files):
    """As far as we may; gives what there is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        soft = files if hard == resource.RLIM_INFINITY else min(files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


class Fibers(examples.TestCase):
    def test_tasks_begin_when_the_spawner_waits_and_end_as_value_or_cancelled(self):
        lines = examples.run("fibers").stdout.splitlines()
        self.assertEqual(lines[:3], ["two tasks, and neither has begun", "rice is on the stove", "soup is on the stove"])
        self.assertCountEqual(lines[3:5], ["rice is off the stove", "soup is off the stove"])
        self.assertEqual(lines[5:], ["a bowl of rice, a bowl of soup", "stew is on the stove", "the stew has no value yet",
                                     "stew is off the stove", "the stew was given up"])

    def test_a_wait_for_a_socket_makes_room_for_the_other_side(self):
        turns = [line for n in (1, 2, 3)
                 for line in (f"asked: what comes after {n}?", f"  answers {n}", f"    was told: {n + 1}")]
        self.assertEqual(examples.run("switch_by_itself").stdout.splitlines(), [*turns, "  nobody asks any more"])

    def test_asynchronous_waits_overlap(self):
        synchronous, asynchronous = examples.run("synchronous_and_asynchronous").stdout.splitlines()
        self.assertRegex(synchronous, r"^synchronous:  \d+\.\d\d s, at most 1 waiting$")
        self.assertRegex(asynchronous, r"^asynchronous: \d+\.\d\d s, at most 10 waiting$")

    def test_an_error_reaches_the_joiner_the_group_or_the_log(self):
        done = examples.run("fiber_errors")
        self.assertEqual(done.stdout, "good: 2, bad: failed\nget() threw: 1 by nothing\nthe group threw: 2 by nothing\n")
        self.assertIn("task 'careless' failed and nobody asked: 3 by nothing", done.stderr)

    def test_a_stack_overflow_names_the_fiber_and_a_limit_prevents_it(self):
        self.assertEqual(examples.run("stack_overflow", 100).stdout, "100 levels\n")
        self.assertEqual(examples.run("stack_overflow", 10**6, "limited").stdout, "nested too deep\n")
        died = examples.run("stack_overflow", 10**6, check=False)
        self.assertNotEqual(died.returncode, 0)
        self.assertIn("in fiber 'bracket counter'", died.stderr)


class FiberServer(examples.TestCase):
    def test_five_hundred_threads_are_served_at_once_by_one(self):
        clients = min(CLIENTS, raise_file_limit(CLIENTS + 100) - 50)
        all_here = threading.Barrier(clients, timeout=examples.SECONDS)
        numbers, failures = set(), []

        def talk(port):
            try:
                with examples.client(port) as sock:
                    words = sock.makefile("rw")
                    number = int(re.fullmatch(r"welcome, number (\d+)\n", words.readline())[1])
                    all_here.wait()
                    for turn in range(3):
                        words.write(f"{number} for the {turn}. time\n")
                        words.flush()
                        if words.readline() != f"{number} for the {turn}. time\n":
                            raise AssertionError(f"number {number} heard something else")
                    numbers.add(number)
            except Exception as error:
                all_here.abort()
                failures.append(error)

        with examples.Program("fiber_server", 0) as server:
            threads = [threading.Thread(target=talk, args=(server.port(),)) for _ in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(numbers, set(range(1, clients + 1)))
            self.assertEqual(server.stop(signal.SIGINT), 0)
            self.assertIn(f"{clients} clients, at most {clients} at once, on 1 thread", server.output.decode())

    def test_a_client_that_vanishes_leaves_the_others_alone(self):
        with examples.Program("fiber_server", 0) as server, examples.client(server.port()) as staying:
            self.assertEqual(examples.receive_exactly(staying, 18), b"welcome, number 1\n")
            for number in range(2, 12):
                with examples.client(server.port()) as leaving:
                    leaving.sendall(b"x" * 100_000)  # it goes without reading: a reset
                    self.assertEqual(leaving.recv(8), b"welcome,")
                staying.sendall(b"still here")
                self.assertEqual(examples.receive_exactly(staying, 10), b"still here")
            self.assertEqual(server.stop(signal.SIGINT), 0)
            self.assertIn(b"11 clients", server.output)


if __name__ == "__main__":
    examples.main()
