// Busy waiting: for what is a few instructions away (pause_or_yield) and, on a thread, for what may be there before a
// sleep would have been worth its price (spin_until). Internal.
#pragma once

#include <sched.h>

#include <hawser/fiber/run.h>

namespace hawser::detail {

inline void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// As it was when the program began.
extern const bool g_one_processor;

// One step of waiting for somebody who is there for a few instructions only, unless it has lost its processor to us.
// round counts up from 0.
inline void pause_or_yield(int round) noexcept {
  constexpr int kPauses = 64;
  if (round < kPauses) {
    pause_processor();
  } else {
    ::sched_yield();
  }
}

// True as soon as ready() is; false when it was not within some microseconds, at once where spinning makes no sense:
// fibers let others run instead. The growing pauses leave the cache lines to those who are at work.
template <class Ready>
bool spin_until(Ready&& ready) noexcept(noexcept(ready())) {
  if (g_one_processor || in_fiber()) return false;
  for (int pauses = 1; pauses <= 32; pauses *= 2) {
    for (int i = 0; i < pauses; ++i) pause_processor();
    if (ready()) return true;
  }
  return false;
}

}  // namespace hawser::detail
