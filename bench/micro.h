// The parts of bench_micro that are not about switching and waiting.
#pragma once

// What it takes to hand something to a fiber on another loop.
void measure_wakes();
// What it takes to read a frame's header.
void measure_messages();
// What it takes to pack and unpack a structure.
void measure_structures();
// What a pool of threads, or of fibers, takes for a task and its result.
void measure_pools();
// What it takes to have a function run by another process.
void measure_process_pool();
