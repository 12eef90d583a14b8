"""The examples about threads and executors, each to its end."""
import examples


class ThreadsAndExecutors(examples.TestCase):
    def lines(self, name):
        return examples.run(name).stdout.splitlines()

    def test_threads_have_their_own_and_share_the_rest(self):
        self.assertEqual(self.lines("threads"), [
            "one counted 1000 of its own",
            "two counted 2000 of its own",
            "together 3000, and the main thread 0",
            "hello, world",
            "2 threads live; slow has not ended",
            "join() says: no such table",
        ])

    def test_a_thread_pool_calls_back_and_keeps_the_order(self):
        self.assertEqual(self.lines("thread_pool"), [
            "2^10 is 1024",
            "all loads together: 210",
            "10 grams", "20 grams", "30 grams",
            "120 grams",
            "and then: 13 stones break the scales",
        ])

    def test_futures_are_made_of_futures(self):
        self.assertEqual(self.lines("composition"), [
            "9 letters",
            "user 7 has 21 orders",
            "the nearest is near",
            "near answered", "middle answered", "far answered",
            "all that followed has failed with it: no connection",
        ])


if __name__ == "__main__":
    examples.main()
