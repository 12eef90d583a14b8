// StopSignal: a request to stop that may be made from anywhere: any thread, any fiber, a signal handler, also before
// anybody waits for it. Once made it stays.
#pragma once

#include <atomic>

#include <hawser/base/clock.h>
#include <hawser/fiber/pollable.h>

namespace hawser {

class StopSignal {
 public:
  // Throws SystemError.
  StopSignal();

  // Async-signal-safe, idempotent, never blocks.
  void request() noexcept;
  [[nodiscard]] bool requested() const noexcept { return requested_.load(std::memory_order_acquire); }

  // Waits until it was made. One at a time. Throws DeadlineExceeded and Cancelled.
  void wait();

 private:
  Pollable bell_;
  int bell_number_;
  std::atomic<bool> requested_{false};
};

}  // namespace hawser
