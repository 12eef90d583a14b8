// A short busy wait before a thread goes to sleep: what it waits for is often only a few hundred nanoseconds away, and
// sleeping and waking costs a hundred times that. Fibers don't spin, they let others run.
#pragma once

#include <thread>

#include <hawser/fiber/run.h>

namespace hawser::detail {

inline void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True as soon as ready() is; false when it was not within some microseconds, at once where spinning makes no sense.
// The growing pauses leave the cache lines to those who are at work.
template <class Ready>
bool spin_until(Ready&& ready) noexcept(noexcept(ready())) {
  static const bool alone = std::thread::hardware_concurrency() < 2;
  if (alone || in_fiber()) return false;
  for (int pauses = 1; pauses <= 32; pauses *= 2) {
    for (int i = 0; i < pauses; ++i) pause_processor();
    if (ready()) return true;
  }
  return false;
}

}  // namespace hawser::detail
