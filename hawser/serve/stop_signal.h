// StopSignal: a request to stop that may be made from anywhere: any thread, any fiber, a signal handler, also before
// anybody waits for it. Once made it stays.
#pragma once

#include <atomic>
#include <string>

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

  // Waits until it was made. One fiber or thread at a time. Throws DeadlineExceeded and Cancelled.
  void wait();

 private:
  const std::string name_ = "signal";
  Pollable bell_;  // an eventfd, never read: rung once, it stays rung
  const int number_;
  std::atomic<bool> requested_{false};
};

}  // namespace hawser
