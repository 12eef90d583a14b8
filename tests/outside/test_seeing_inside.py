"""A hub that is asked what its fibers are doing."""
import signal
import unittest

from hub import HubTestCase, eventually


class Dump(HubTestCase):
    def test_a_signal_prints_every_fiber_and_the_hub_goes_on(self):
        _, token = self.new_user()
        worker = self.connect(token)
        worker.call("ping")
        self.hub.process.send_signal(signal.SIGUSR2)

        def said():
            return b"".join(self.hub.complaints).decode(errors="replace")

        eventually(lambda: "parked in accept" in said() and "parked in recv 127.0.0.1:" in said(), "the dump is there")
        self.assertRegex(said(), r"hawser: \d+ fibers on \d+ loops?, process \d+")
        worker.call("ping")


if __name__ == "__main__":
    unittest.main()
