"""The examples about functions of a program that run in processes of their own, and about pools of them."""
import re

import examples

ENDS = """\
counter counts 1
counter counts 2
counter counts 3
hello parent, says Ann, your child
returned: 0
exit(300): 44
thrown: 1
abort: -6
after 10 ms sleeper has not ended
terminated: -15
"""


class Processes(examples.TestCase):
    def test_what_a_process_changes_its_parent_does_not_see(self):
        self.assertEqual(examples.run("isolation").stdout,
                         "the process has 30 left\nafter the process: 100\n"
                         "the thread has 30 left\nafter the thread: 30\n")

    def test_every_end_has_its_exit_code_and_no_child_is_left(self):
        # A child that is left would keep standard output open, and run() waits for its end.
        done = examples.run("processes")
        self.assertEqual(done.stdout, ENDS)
        self.assertIn("printer: no more paper", done.stderr)

    def test_values_go_to_and_fro_and_the_end_of_a_process_is_seen(self):
        lines = examples.run("process_connection").stdout.splitlines()
        self.assertCountEqual(lines[:2], ["the cook goes home", "2 portions of rice"])
        self.assertEqual(lines[2:], ["no answer: the cook has gone", "exit code -9"])

    def test_every_bun_is_eaten_once_and_everybody_goes_home(self):
        output = examples.run("process_queue").stdout
        self.assertCountEqual(re.findall(r"(?:Lin|Wu) eats (bun \d of \w+)", output),
                              [f"bun {n} of {baker}" for n in (1, 2, 3, 4) for baker in ("Ann", "Bob")])
        self.assertCountEqual(re.findall(r"(\w+) goes home", output), ["Lin", "Wu"])

    def test_without_a_lock_tickets_are_sold_more_than_once_and_never_with_one(self):
        output = examples.run("tickets").stdout
        without, tickets = map(int, re.search(r"without a lock: (\d+) sold of (\d+)", output).groups())
        self.assertGreater(without, tickets)
        self.assertIn(f"with a lock:    {tickets} sold of {tickets}\n", output)


class Pools(examples.TestCase):
    def test_only_the_pools_name_changes(self):
        output = examples.run("pools").stdout
        for pool, error in (("threads", "13 brings bad luck"),
                            ("processes", "std::invalid_argument: 13 brings bad luck"),
                            ("fibers", "13 brings bad luck")):
            self.assertIn(f"{pool}: a callback heard 25\n{pool}: map gave 1 4 9 16\n"
                          f"{pool}: {error}\n{pool}: the others make 85\n", output)

    def test_a_worker_that_dies_takes_only_its_own_task_along(self):
        self.assertEqual(examples.run("worker_dies").stdout,
                         "10\n20\nexit code -9\n40\n50\n60\nsubmit: 'pool' is shut down\n")


if __name__ == "__main__":
    examples.main()
