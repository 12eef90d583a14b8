// StopSignal: a request to stop that may be made from anywhere: any thread, any fiber, a signal handler, also before
// anybody waits for it. Once made it stays. In a forked child it is the child's own: what is requested there, by a
// signal handler that it inherited, say, does not stop the parent.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/base/fork.h>
#include <hawser/fiber/pollable.h>

namespace hawser {

class StopSignal {
 public:
  // Throws SystemError.
  StopSignal();

  // Async-signal-safe, idempotent, never blocks.
  void request() noexcept;
  [[nodiscard]] bool requested() const noexcept { return requested_.load(std::memory_order_acquire); }

  // Readable once it was made, for poll(2); nobody may read it.
  [[nodiscard]] int fileno() const noexcept { return number_; }

  // Waits until it was made. One fiber or thread at a time. Throws DeadlineExceeded and Cancelled.
  void wait();

 private:
  const std::string name_ = "signal";
  Pollable bell_;  // an eventfd, never read: rung once, it stays rung
  const int number_;
  const std::uint32_t generation_ = detail::fork_generation();
  std::atomic<bool> requested_{false};
};

}  // namespace hawser
