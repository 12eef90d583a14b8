// IdleSpin: whether a loop that has nothing to do should poll for a while before it sleeps, judged by how that went
// lately. Internal; no clock and no system call in here, only the judgement.
//
// A sleeping processor takes 20 µs and more to wake, so where the next event is a few microseconds away, polling is
// several times faster. Where it is not, polling only burns time. So:
//   - nothing is polled unless the last sleeps ended soon: an idle process costs nothing;
//   - a try that fails makes the next tries rarer, up to one in kMostSkipped sleeps: a peer on the same processor,
//   which
//     can't answer while we poll, costs next to nothing;
//   - a loop that finds several things to do at a time is busy, not waiting for one answer, and sleeps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <hawser/base/clock.h>

namespace hawser::detail {

class IdleSpin {
 public:
  // How long a try may last: a wake-up's cost, so that polling in vain at most doubles what sleeping would have cost.
  static constexpr Duration kBudget = std::chrono::microseconds(25);
  // A sleep that ended within this might have been polled over; the wake-up itself is in it.
  static constexpr Duration kShortSleep = std::chrono::microseconds(100);
  // How many runnables at a time still look like one conversation.
  static constexpr int kFew = 2;

  // Whether to poll now; false means sleep.
  [[nodiscard]] bool worth_it() const noexcept { return polling_; }
  // Whether slept() wants to know how long; while it does not, any length will do.
  [[nodiscard]] bool measures() const noexcept { return to_skip_ == 0; }

  // A try ended: something came in time, or not.
  void polled(bool in_time, bool few) noexcept {
    if (!in_time) {
      if (trust_ > 0) {
        --trust_;
        return;
      }
      polling_ = false;
      to_skip_ = skip_next_;
      skip_next_ = std::min(skip_next_ * 2, kMostSkipped);
    } else if (!few) {
      busy();
    } else if (trust_ < kMostTrust && ++credit_ >= kCreditATrust) {
      credit_ = 0;
      ++trust_;
      skip_next_ = kFirstSkipped;
    }
  }

  // A sleep ended with something to do, not by a timer.
  void slept(Duration length, bool few) noexcept {
    if (!few) return busy();
    credit_ = 0;
    if (to_skip_ > 0) {
      --to_skip_;
    } else {
      polling_ = length <= kShortSleep;
    }
  }

 private:
  static constexpr std::uint32_t kFirstSkipped = 8;
  static constexpr std::uint32_t kMostSkipped = 4096;
  static constexpr std::uint32_t kMostTrust = 2;
  static constexpr std::uint32_t kCreditATrust = 16;

  void busy() noexcept {
    polling_ = false;
    trust_ = credit_ = 0;
    to_skip_ = kFirstSkipped;
  }

  bool polling_ = false;
  std::uint32_t trust_ = 0;                  // failures that are forgiven
  std::uint32_t credit_ = 0;                 // successes in a row towards one more
  std::uint32_t to_skip_ = kFirstSkipped;    // sleeps before the next try
  std::uint32_t skip_next_ = kFirstSkipped;  // how many that will be after a try that fails
};

}  // namespace hawser::detail
