// Linger: two threads that pass items through a queue as fast as they can soon run in step, each taking the cache lines
// from the other for every single item. Whoever has found the queue empty (or full) does better to let some more come
// (or go) before it goes on. How long is learnt: longer while that brings more, not at all where items come singly.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <hawser/fiber/spin.h>

namespace hawser::detail {

class Linger {
 public:
  // Called when a spin has just found something; there() tells how much there is.
  template <class There>
  void after_a_spin(There&& there) noexcept {
    const auto before = there();
    const std::uint32_t pauses = pauses_.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < pauses; ++i) pause_processor();
    const bool paid = there() > before;
    pauses_.store(paid ? std::min(pauses * 2, kMost) : std::max(pauses / 2, 1U), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t kMost = 64;
  std::atomic<std::uint32_t> pauses_{1};
};

}  // namespace hawser::detail
