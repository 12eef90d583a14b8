// PoolSpin: whether the pool's thread, or a worker, should poll for the other's next word before it sleeps, judged by
// how that went lately. Internal; no clock and no system call in here, only the judgement.
//
// One task at a time goes through three who sleep and are woken: the caller, the worker, the pool's thread. A wake-up
// takes 20 µs and more, so each waits for the sum of them; only a try that lasts as long as that finds the others
// asleep and still succeeds, and once one of them polls the rest is quick. IdleSpin's shorter tries are for a single
// peer.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <hawser/base/clock.h>

namespace hawser::detail {

class PoolSpin {
 public:
  static constexpr Duration kBudget = std::chrono::microseconds(120);

  [[nodiscard]] bool worth_it() noexcept {
    if (skip_ > 0) --skip_;
    return short_ && skip_ == 0;
  }
  // A try ended.
  void polled(bool in_time) noexcept {
    if (in_time) {
      next_skip_ = kFirstSkipped;
    } else {
      skip_ = next_skip_;
      next_skip_ = std::min(2 * next_skip_, kMostSkipped);
      short_ = false;
    }
  }
  // A sleep ended with something to do.
  void slept(Duration length) noexcept { short_ = length <= kShort; }
  // There is more to do than one conversation: no time to lose.
  void busy() noexcept { short_ = false; }

 private:
  static constexpr Duration kShort = std::chrono::microseconds(250);
  static constexpr std::uint32_t kFirstSkipped = 4;
  static constexpr std::uint32_t kMostSkipped = 1024;
  bool short_ = false;
  std::uint32_t skip_ = 0;  // waits before the next try
  std::uint32_t next_skip_ = kFirstSkipped;
};

}  // namespace hawser::detail
