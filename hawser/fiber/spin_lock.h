// SpinLock: guards a handful of instructions, such as linking a waiter into a list. It must never be held across a
// park, an allocation or a system call other than the wake-up of a waiter. Meets BasicLockable.
#pragma once

#include <atomic>

#include <hawser/fiber/spin.h>

namespace hawser {

class SpinLock {
 public:
  void lock() noexcept {
    while (locked_.exchange(true, std::memory_order_acquire)) {
      for (int round = 0; locked_.load(std::memory_order_relaxed); ++round) detail::pause_or_yield(round);
    }
  }
  [[nodiscard]] bool try_lock() noexcept { return !locked_.exchange(true, std::memory_order_acquire); }
  void unlock() noexcept { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace hawser
