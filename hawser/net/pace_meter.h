// PaceMeter: whether a peer keeps the least pace (LeastPace in socket.h). Internal. A reader and a writer may wait at
// the same time; their waiting counts once.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/net/socket.h>

namespace hawser::detail {

class PaceMeter {
 public:
  // Throws std::invalid_argument.
  explicit PaceMeter(const LeastPace& least);

  void moved(std::uint64_t bytes) noexcept { moved_.fetch_add(bytes, std::memory_order_relaxed); }

  // One wait for the peer.
  class Wait {
   public:
    explicit Wait(PaceMeter& meter) noexcept : meter_(meter), look_at_(meter.begin()) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { meter_.end(); }
    // When the window is full.
    [[nodiscard]] Expiry look_at() const noexcept { return look_at_; }

   private:
    PaceMeter& meter_;
    Expiry look_at_;
  };

  // False when a window is full and too little has moved in it; a full one with enough begins anew.
  [[nodiscard]] bool kept() noexcept;
  [[nodiscard]] const LeastPace& least() const noexcept { return least_; }

 private:
  Expiry begin() noexcept;
  void end() noexcept;

  const LeastPace least_;
  const std::uint64_t bytes_a_window_;
  std::atomic<std::uint64_t> moved_{0};  // in this window
  SpinLock lock_;                        // guards what follows
  int waiting_ = 0;
  Clock::time_point since_{};
  Duration waited_{0};  // in this window, before since_
};

}  // namespace hawser::detail
