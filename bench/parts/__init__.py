"""The parts of the benchmarks, in the order in which they run."""
from parts import commands, contexts, datagrams, echo, files, micro, park, queries, spawn, tls

# Name -> measure(rig).
PARTS = {**echo.PARTS, **datagrams.PARTS, **micro.PARTS, **contexts.PARTS, **park.PARTS, **tls.PARTS, **files.PARTS,
         **spawn.PARTS, **commands.PARTS, **queries.PARTS}
