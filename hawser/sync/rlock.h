// RLock: a Lock that its owner may acquire again, and that is free once it was released as often.
//
//   RLock lock;
//   void deposit(int n) { std::lock_guard hold(lock); check(); balance += n; }   // check() takes the lock as well
//
// The owner is the fiber, or the thread outside fibers, that acquired it: another fiber of the same thread is a
// stranger. Only the owner may release. Otherwise as Lock: between fibers, threads and both; waiting throws
// DeadlineExceeded and Cancelled, and the lock is then held no deeper than before.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/identity.h>
#include <hawser/sync/lock.h>

namespace hawser {

class RLock {
 public:
  RLock() noexcept = default;
  // The name appears in reports of deadlocks and dumps of fibers; it must be a literal or outlive the lock.
  explicit RLock(const char* name) noexcept : lock_(name) {}
  RLock(const RLock&) = delete;
  RLock& operator=(const RLock&) = delete;
  ~RLock() = default;

  void lock();
  [[nodiscard]] bool try_lock() noexcept;
  // Throws std::logic_error when the caller is not the owner.
  void unlock();

  // False when the timeout came first; at once true for the owner. Zero polls. Throws std::invalid_argument for a
  // negative timeout.
  [[nodiscard]] bool acquire(Timeout timeout = std::nullopt);
  void release() { unlock(); }
  [[nodiscard]] bool locked() const noexcept { return lock_.locked(); }
  // Whether the caller is the owner.
  [[nodiscard]] bool owned() const noexcept {
    return owner_.load(std::memory_order_relaxed) == detail::current_identity();
  }
  // How often the owner has acquired it. For the owner.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

 private:
  friend class Condition;
  bool enter_again(detail::Identity self) noexcept;
  void now_owned_by(detail::Identity self, std::size_t depth) noexcept;
  // For a Condition: releases it however deep it is held, and says how deep that was; and back again, come what may.
  std::size_t unlock_wholly();
  void lock_uninterrupted(std::size_t depth) noexcept;

  Lock lock_;
  std::atomic<detail::Identity> owner_{0};  // only the owner itself can find its own number here
  std::size_t depth_ = 0;                   // the owner's
};

}  // namespace hawser
