// Counters: what the runtime has done so far, for programs that watch themselves.
//
//   const RuntimeCounters now = runtime_counters();
//   log("{} switches, {} fibers", now.total.switches, now.total.fibers_live);
//
// They are always kept: each loop counts for itself without locked instructions, and whoever asks reads the numbers
// while they change. So one set may be a few counts out of step within itself; no count ever goes back except the ones
// that say how many there are now. Counts go on over the calls of run() that use the same loop. Any thread, any fiber;
// never waits. Throws std::bad_alloc.
#pragma once

#include <cstdint>
#include <vector>

namespace hawser {

struct LoopCounters {
  int loop = -1;  // its number in its run(); -1 while no run() uses it

  std::uint64_t switches = 0;        // times that a fiber was given the processor
  std::uint64_t parks = 0;           // waits that really waited
  std::uint64_t wakes_here = 0;      // fibers woken from their own loop's thread
  std::uint64_t wakes_across = 0;    // fibers woken by other loops and threads
  std::uint64_t turns = 0;           // rounds of: messages, timers, engine, ready fibers
  std::uint64_t polls = 0;           // the engine asked for events without waiting
  std::uint64_t sleeps = 0;          // the engine waited for events
  std::uint64_t submits = 0;         // requests that the engine has handed to the kernel
  std::uint64_t engine_calls = 0;    // system calls of the engine that hand over or wait
  std::uint64_t timers_started = 0;  // waits with an end in sight
  std::uint64_t timers_fired = 0;    // of those, ended by time
  std::uint64_t tasks = 0;           // begun so far

  std::uint64_t unstarted = 0;       // now: spawned and not begun
  std::uint64_t fibers_live = 0;     // now: running a task
  std::uint64_t fibers_idle = 0;     // now: warm, without one
  std::uint64_t fibers_created = 0;  // so far: with a stack of their own
  std::uint64_t stacks_mapped = 0;   // now: address space taken, in use or not
  std::uint64_t stacks_free = 0;     // now: of those, waiting for a fiber
};

struct RuntimeCounters {
  std::vector<LoopCounters> loops;  // every loop the process has made, in that order
  LoopCounters total;
};

[[nodiscard]] RuntimeCounters runtime_counters();

}  // namespace hawser
