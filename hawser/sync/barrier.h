// Barrier: so many contexts wait until all of them are there, and then go on together; again and again.
//
//   Barrier round(4, [] { swap_buffers(); });        // the action runs once a round, before anybody goes on
//   for (...) { compute(part); round.wait(); }
//
// Between fibers, threads and both; every call from anywhere. A wait that ends early (timeout, Deadline, cancellation)
// or an action that throws breaks the barrier: everybody who waits, now and later, gets BrokenBarrier until reset().
// The Barrier may be destroyed as soon as every wait() on it has returned.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser {

class BrokenBarrier : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Barrier {
 public:
  // Throws std::invalid_argument when there are no parties. The action runs in the last one to come, which also gets
  // what it throws. The name appears in dumps of fibers; it must be a literal or outlive the barrier.
  explicit Barrier(std::size_t parties, std::function<void()> action = {}, const char* name = nullptr);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  ~Barrier() = default;

  // Waits for the others. Returns the caller's place in the order of coming, 0 to parties - 1: a different one for
  // each. Throws BrokenBarrier, also when it was the caller's own timeout; DeadlineExceeded and Cancelled, and
  // BrokenBarrier for all others then; std::invalid_argument for a negative timeout.
  std::size_t wait(Timeout timeout = std::nullopt);

  // Breaks it: for a party that knows it will not come.
  void abort() noexcept;
  // Makes it as new. Whoever waits gets BrokenBarrier.
  void reset() noexcept;

  [[nodiscard]] std::size_t parties() const noexcept { return parties_; }
  // How many have come to the round that is gathering.
  [[nodiscard]] std::size_t waiting() const noexcept { return arrived_.load(std::memory_order_acquire); }
  [[nodiscard]] bool broken() const noexcept { return broken_.load(std::memory_order_acquire); }

 private:
  // With the cell entered.
  void send_away(bool broken) noexcept;
  std::size_t open(std::uint64_t round);

  const std::size_t parties_;
  const std::function<void()> action_;
  const char* const name_;
  detail::WaitCell cell_;  // guards everything; lists who waits for the round
  detail::WaitCell late_;  // who came while the action runs
  std::atomic<std::size_t> arrived_{0};
  std::atomic<bool> broken_{false};
  bool opening_ = false;     // all are there and the action runs
  std::uint64_t round_ = 0;  // counts up when a round ends, in whatever way
};

}  // namespace hawser
