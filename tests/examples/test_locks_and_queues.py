"""Locks and queues: each example prints the same at every run."""
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


if __name__ == "__main__":
    examples.main()
