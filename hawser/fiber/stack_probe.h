// StackProbe: asks another loop's thread, by a signal, which fiber it is running and where that is. Internal: for loops
// that do not come round to answering.
//
// The handler runs on the asked thread and only copies: the fiber's name and its return addresses. It uses the unwinder
// of libgcc, which takes no locks when glibc has _dl_find_object (2.35). The signal is the highest real-time signal
// whose action was still the default at the first use. System calls that it interrupts go on (SA_RESTART), apart from
// those that never do (signal(7)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/base/clock.h>

namespace hawser::detail {

class Loop;

struct ProbedStack {
  bool answered = false;
  bool in_fiber = false;       // else the loop's own flow was running
  std::uint64_t switches = 0;  // Loop::switches() then: the same number, the same slice
  std::string fiber;
  std::vector<std::uintptr_t> stack;
};

// Any thread but the loop's own; one at a time, others wait. Blocks the thread until the answer is there or the
// patience is over. Never throws but std::bad_alloc.
[[nodiscard]] ProbedStack probe_stack(const Loop& loop, Duration patience);

// Finds the signal and installs its handler; probe_stack() does it otherwise. False when no signal is free.
bool prepare_probes() noexcept;

}  // namespace hawser::detail
