// Time: the steady clock that every wait is measured by, and Expiry, the moment at which a wait gives up.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace hawser {

using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

// A length of waiting as callers give it: nothing means for ever, zero means poll. Negative is refused by the call.
using Timeout = std::optional<Duration>;

// A moment of the steady clock, or never. Cheap to copy and to compare; one Expiry covers any number of steps, which
// is how a timeout becomes the budget of a whole operation.
class Expiry {
 public:
  constexpr Expiry() = default;  // never
  static constexpr Expiry never() { return {}; }
  static constexpr Expiry at(Clock::time_point when) {
    Expiry e;
    e.when_ = when;
    return e;
  }
  // From now on. Saturates at never. Throws std::invalid_argument for a negative length.
  static Expiry in(Duration length);
  // in(*timeout), or never.
  static Expiry of(Timeout timeout) { return timeout ? in(*timeout) : never(); }

  [[nodiscard]] constexpr bool is_never() const { return when_ == Clock::time_point::max(); }
  [[nodiscard]] constexpr Clock::time_point when() const { return when_; }
  [[nodiscard]] bool passed() const { return !is_never() && Clock::now() >= when_; }
  // What is left, at least zero; nothing for never.
  [[nodiscard]] Timeout left() const;

  friend constexpr auto operator<=>(Expiry a, Expiry b) = default;

 private:
  Clock::time_point when_ = Clock::time_point::max();
};

}  // namespace hawser
