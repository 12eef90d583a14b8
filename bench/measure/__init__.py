"""How the benchmarks measure: the machine, processes, runs in turns, tables, and what was aimed at."""
