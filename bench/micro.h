// The parts of bench_micro that are not about switching and waiting.
#pragma once

// What it takes to hand something to a fiber on another loop.
void measure_wakes();
// What it takes to read a frame's header and to pack a structure.
void measure_messages();
