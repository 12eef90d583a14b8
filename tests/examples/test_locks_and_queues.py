"""Locks and queues: each example prints the same at every run."""
import re

import examples

CIRCLE = ("deadlock: fiber 'Lin' waits for lock 'fork' held by fiber 'Wu', "
          "who waits for lock 'noodles' held by fiber 'Lin'\n")

ORDERS = """\
plate: the third
plate: the second
plate: the first
the waiting room is full
next: a heart attack
next: a broken leg
next: a cold
next: another cold
the waiting room is empty
"""


class LocksAndQueues(examples.TestCase):
    def test_the_deadlock_names_both_eaters_and_both_locks(self):
        self.assertEqual(examples.run("noodles_and_forks").stdout, "Wu eats\n" + CIRCLE + "Lin eats\nWu eats\n")

    def test_queues_in_other_orders(self):
        self.assertEqual(examples.run("lifo_and_priority_queues").stdout, ORDERS)

    def test_an_update_is_lost_without_a_lock_and_never_with_one(self):
        output = examples.run("lost_update").stdout
        without, of = map(int, re.search(r"without a lock: (\d+) of (\d+)", output).groups())
        self.assertLess(without, of)
        number, of = map(int, re.search(r"with a lock:\s+(\d+) of (\d+)", output).groups())
        self.assertEqual(number, of)

    def test_a_condition_waits_until_there_is_enough(self):
        self.assertEqual(examples.run("condition").stdout, "the rent is paid\n200 are left\n")

    def test_a_semaphore_lets_three_in(self):
        self.assertEqual(examples.run("semaphore").stdout,
                         "somebody in a hurry does not get a chair\nat most 3 of 10 sat at once\n"
                         "semaphore released more often than acquired\n")

    def test_an_event_frees_fibers_and_threads(self):
        self.assertEqual(examples.run("event").stdout,
                         "the pistol is not heard within 10 ms\n0 are running\n6 are running\n"
                         "for the next race the flag is clear\n")

    def test_a_barrier_keeps_the_rounds_apart(self):
        self.assertEqual(examples.run("barrier").stdout,
                         "1 1 0 0\n1 2 1 0\n1 3 3 1\nthe barrier is broken: a wait timed out\n")

    def test_an_rlock_belongs_to_its_owner(self):
        self.assertEqual(examples.run("rlock").stdout,
                         "3 files, the lock is held 2 deep\n6 files, the lock is held 2 deep\n"
                         "another fiber does not get the lock\nrelease of an RLock by another than its owner\n")

    def test_every_job_of_a_queue_is_done_once_and_the_workers_go_home(self):
        output = examples.run("work_queue").stdout
        self.assertEqual(sorted(map(int, re.findall(r"did job (\d+)", output))), list(range(1, 11)))
        self.assertEqual(output.count("goes home"), 2)


if __name__ == "__main__":
    examples.main()
