"""A hub of our own with one signed-in user, for as long as a measurement takes."""
import os
import re
import subprocess
import time

from measure.processes import output_of, stop


class Hub:
    def __init__(self, rig, plain):
        self.home = rig.fresh_folder("plain" if plain else "tls")
        self.flags = ["--plain"] if plain else []
        self.user, self.password = "bench", "a long password for bench"
        self.hawser = rig.programs["hawser"]
        self.env = {"HAWSER_HOME": f"{self.home}/client", "HAWSER_PASSWORD": self.password, "HAWSER_USER": self.user}
        with open(f"{self.home}/said", "w") as said, open(f"{self.home}/log", "w") as log:
            self.process = subprocess.Popen(
                [self.hawser, "up", "--listen", "127.0.0.1:0", "--root", f"{self.home}/hub", *self.flags],
                stdin=subprocess.DEVNULL, stdout=said, stderr=log)
        try:
            self.address = self.told("log", "ready")
            self.pin = [] if plain else ["--pin", self.told("said", "fingerprint")]
            self.client("register", "--invite", self.told("said", "invite"))
        except BaseException:
            self.stop()
            raise

    def told(self, where, word):
        """What follows the word in the hub's output, once it is there."""
        for _ in range(1000):
            with open(f"{self.home}/{where}") as text:
                if found := re.search(rf"^ *{word} +(\S+)$", text.read(), re.MULTILINE):
                    return found.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(f"the hub told no {word}")

    def client(self, *words):
        return output_of([self.hawser, words[0], "--hub", self.address, *self.flags, *self.pin, "-q", *words[1:]],
                         env=self.env)

    def stop(self):
        stop(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
