"""What every part of the benchmarks is given: programs, lengths, runs, where results go."""
import dataclasses
import os
import re
import shutil
import tempfile

from measure.machine import Cores
from measure.processes import Programs


@dataclasses.dataclass
class Scale:
    """How long and how often."""
    runs: int
    milliseconds: int
    idle: int
    parked: int
    mib: int
    patience: int  # seconds a table may take longer because the cores are far from each other
    smoke: bool = False  # only whether everything of ours runs


FULL = Scale(runs=3, milliseconds=1000, idle=10_000, parked=1_000_000, mib=512, patience=10)
QUICK = Scale(runs=1, milliseconds=300, idle=2000, parked=100_000, mib=128, patience=4)
SMOKE = Scale(runs=1, milliseconds=20, idle=50, parked=200, mib=1, patience=0, smoke=True)


class Rig:
    def __init__(self, build, scale, results, rows, folder):
        self.programs = Programs(os.path.abspath(build))
        self.scale, self.results = scale, results
        self.rows = re.compile(rows, re.IGNORECASE)
        self.cores = Cores(self.programs["limit_cores"], scale.patience)
        self.source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.folder = tempfile.mkdtemp(prefix="hawser-bench-", dir=folder if os.path.isdir(folder) else None)
        os.chmod(self.folder, 0o755)  # an anonymous FTP server reads the source as nobody

    def wants(self, row):
        return bool(self.rows.search(row))

    def fresh_folder(self, name):
        path = f"{self.folder}/{name}"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
