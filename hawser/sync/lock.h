// Lock: mutual exclusion between fibers, between threads, and between both. Not recursive.
//
//   Lock lock;
//   { std::lock_guard hold(lock); --n; }
//
// Waits until the holder releases; a waiting fiber lets others run. Any context may release, not only the one that
// acquired. A waiter that was overtaken once is handed the lock by the next release, so nobody starves. Waiting throws
// DeadlineExceeded and Cancelled; the lock is then not held. The Lock may be destroyed as soon as the last holder's
// unlock() was seen by somebody who acquired it afterwards.
#pragma once

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser {

class Lock {
 public:
  Lock() noexcept = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() = default;

  void lock() {
    if (!try_lock()) throw_unless_ready(acquire_slow(Expiry::never()), "lock");
  }
  [[nodiscard]] bool try_lock() noexcept {
    detail::WaitCell::Word expected = 0;
    return cell_.word().compare_exchange_strong(expected, detail::WaitCell::kOne, std::memory_order_acquire,
                                                std::memory_order_relaxed) ||
           (expected < detail::WaitCell::kOne && try_lock_slow());
  }
  // Throws std::logic_error when it is not locked.
  void unlock() {
    detail::WaitCell::Word expected = detail::WaitCell::kOne;
    if (!cell_.word().compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed))
      release_slow();
  }

  // False when the timeout came first. Zero polls. Throws std::invalid_argument for a negative timeout.
  [[nodiscard]] bool acquire(Timeout timeout = std::nullopt);
  void release() { unlock(); }
  [[nodiscard]] bool locked() const noexcept { return cell_.value() != 0; }

 private:
  friend class Condition;
  bool try_lock_slow() noexcept;
  Wake acquire_slow(Expiry expiry) noexcept;
  void release_slow();
  // For a Condition that must hold the lock again, come what may.
  void lock_uninterrupted() noexcept;

  detail::WaitCell cell_;
};

}  // namespace hawser
