// Timers: a hierarchical timing wheel (Varghese and Lauck, 1987). Start and cancel are O(1) and allocate nothing: a
// Timer is a link inside its owner. Internal; one thread only.
//
// Eight levels of 64 slots. A tick is 2^16 ns (65.5 µs); moments are rounded up to the next tick, so that no timer is
// early. A timer sits on the level at which its tick and the present first differ, and moves down as time comes near.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <hawser/base/clock.h>

namespace hawser::detail {

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool active() const noexcept { return active_; }

  void* owner = nullptr;  // for whoever gets the timer when it fires

 private:
  friend class Timers;
  Timer* next_ = this;
  Timer* previous_ = this;
  std::uint64_t tick_ = 0;
  std::uint8_t level_ = 0;
  std::uint8_t slot_ = 0;
  bool active_ = false;
};

class Timers {
 public:
  explicit Timers(Clock::time_point now);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Precondition: the timer is not active.
  void start(Timer& timer, Clock::time_point when) noexcept;
  void cancel(Timer& timer) noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // A moment at which fire() has something to do, not later than the earliest timer. never when there is none.
  [[nodiscard]] Expiry next() const noexcept;

  // Takes every timer that is due out of the wheel and calls fired(timer), which may start and cancel timers.
  template <class Fired>
  void fire(Clock::time_point now, Fired&& fired) {
    if (count_ == 0) {
      elapsed_ = std::max(elapsed_, floor_tick(now));
      return;
    }
    collect(floor_tick(now));
    while (Timer* timer = pop_due()) fired(*timer);
  }

 private:
  static constexpr int kLevels = 8;
  static constexpr int kSlotBits = 6;
  static constexpr int kTickBits = 16;

  struct Level {
    std::uint64_t occupied = 0;
    std::array<Timer, 64> slots;  // list heads
  };
  struct Slot {
    int level;
    unsigned slot;
    std::uint64_t tick;
  };

  [[nodiscard]] std::uint64_t floor_tick(Clock::time_point when) const noexcept;
  [[nodiscard]] std::uint64_t ceil_tick(Clock::time_point when) const noexcept;
  [[nodiscard]] bool next_slot(Slot& found) const noexcept;
  void insert(Timer& timer) noexcept;
  void unlink(Timer& timer) noexcept;
  void collect(std::uint64_t now) noexcept;
  Timer* pop_due() noexcept;

  Clock::time_point origin_;
  std::uint64_t elapsed_ = 0;
  std::size_t count_ = 0;
  std::array<Level, kLevels> levels_;
  Timer due_;  // list head
};

}  // namespace hawser::detail
