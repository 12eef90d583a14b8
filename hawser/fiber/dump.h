// dump_fibers: what every fiber of the process is doing, as text: name, state, what it waits for and since when, and
// its stack. For the moment when a program stands still and nobody knows why.
//
//   std::string text = dump_fibers();
//   dump_fibers_on(SIGUSR2);   // from now on `kill -USR2 PID` prints it to standard error
//
// Each loop lists its own fibers between two of them, so the fibers go on meanwhile and nothing is locked against them.
// A loop that is busy with one fiber is waited for a moment, then asked by a signal what that fiber is doing: the dump
// says so and shows that stack instead. "Since" is by the coarse clock: right to a few milliseconds and the length of
// one turn of the loop.
//
// Functions are named out of the symbol table of the program; one that was stripped shows addresses (addr2line(1)).
#pragma once

#include <cstddef>
#include <string>

#include <hawser/base/clock.h>

namespace hawser {

struct DumpOptions {
  bool stacks = true;
  // Of each loop; the rest is counted.
  std::size_t most_fibers = 1000;
  // How long to wait for a loop that is busy, all loops together.
  Duration patience = std::chrono::milliseconds(200);
};

// Any thread or fiber, inside run() or outside. Waits at most two patiences, neither cancelled nor ended by a Deadline
// scope. Throws std::bad_alloc.
[[nodiscard]] std::string dump_fibers(const DumpOptions& options = {});

// The signal prints dump_fibers() to standard error, by a thread that is started here for that. Other threads need not
// block the signal; it interrupts system calls as any signal does (SA_RESTART is set). Once a signal; not in a forked
// child, which must ask for itself. Throws SystemError for a number that cannot be handled and when no
// thread is to be had.
void dump_fibers_on(int signal);

}  // namespace hawser
