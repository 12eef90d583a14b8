"""The example that looks at its own fibers."""
import examples


class LookInside(examples.TestCase):
    def test_it_sees_fibers_the_one_that_holds_the_loop_and_numbers(self):
        done = examples.run("look_inside")
        self.assertIn("'server' parked in accept 127.0.0.1:", done.stdout)
        self.assertIn("'main' running", done.stdout)
        self.assertIn("serve(hawser::Socket&)", done.stdout)
        self.assertRegex(done.stdout, r"\d+ switches, \d+ parks, \d+ fibers on \d+ stacks")
        self.assertRegex(done.stderr, r"fiber 'words' has held loop 0 for 0\.\d+ s without yielding:")
        self.assertIn("count_all_words()", done.stderr)
        self.assertRegex(done.stderr, r"fiber 'words' let go of loop 0 after \d+\.\d+ s")


if __name__ == "__main__":
    examples.main()
