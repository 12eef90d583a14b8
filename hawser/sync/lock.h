// Lock: mutual exclusion between fibers, between threads, and between both. Not recursive.
//
//   Lock lock;
//   { std::lock_guard hold(lock); --n; }
//
// Waits until the holder releases; a waiting fiber lets others run. Any context may release, not only the one that
// acquired. A waiter that was overtaken once is handed the lock by the next release, so nobody starves. Waiting throws
// DeadlineExceeded and Cancelled; the lock is then not held. The Lock may be destroyed as soon as the last holder's
// unlock() was seen by somebody who acquired it afterwards.
//
// Acquiring and releasing without a rival takes one atomic operation in all (docs/decisions.md tells how). With a name,
// reports of deadlocks (deadlock.h) and dumps of fibers call it by that.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/asymmetric_fence.h>
#include <hawser/fiber/identity.h>
#include <hawser/fiber/thread_mark.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/detail/parking_lot.h>

namespace hawser {

enum class OnDeadlock : std::uint8_t;

class Lock {
 public:
  Lock() noexcept = default;
  // The name must be a literal or outlive the lock.
  explicit Lock(const char* name) noexcept : name_(name) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() = default;

  void lock() {
    if (!try_lock()) throw_unless_ready(acquire_slow(Expiry::never()), "lock");
  }
  [[nodiscard]] bool try_lock() noexcept {
    Word expected = 0;
    const Word claim = mine();
    if (!word_.compare_exchange_strong(expected, claim, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    if (claim & kTracked) [[unlikely]]
      note_holder();
    return true;
  }
  // Throws std::logic_error when it is not locked.
  void unlock() {
    if (word_.load(std::memory_order_relaxed) != detail::thread_mark()) return release_slow();
    word_.store(0, std::memory_order_release);
    // From here on the lock may be gone; its address is still good for asking who waits.
    detail::light_fence();
    if (detail::ParkingLot::crowded(this, std::memory_order_relaxed)) detail::ParkingLot::wake_first(this);
  }

  // False when the timeout came first. Zero polls. Throws std::invalid_argument for a negative timeout.
  [[nodiscard]] bool acquire(Timeout timeout = std::nullopt);
  void release() { unlock(); }
  [[nodiscard]] bool locked() const noexcept { return word_.load(std::memory_order_acquire) != 0; }

 private:
  friend class Condition;
  friend class RLock;
  friend void set_lock_tracking(bool on, OnDeadlock then);
  // 0: free. Otherwise the mark of the thread that acquired it, and:
  using Word = std::uintptr_t;
  static constexpr Word kFenced = 1;    // to be released by release_slow(), with a full fence
  static constexpr Word kInsisted = 2;  // the next release hands over
  static constexpr Word kTracked = 4;   // holder_ says who it is; comes with kFenced

  // What a new holder writes beside its mark. kFenced is in it where the kernel has no asymmetric fence.
  static constinit std::atomic<Word> holder_flags_;
  static const bool chosen_;
  [[nodiscard]] static Word mine() noexcept {
    return detail::thread_mark() | holder_flags_.load(std::memory_order_relaxed);
  }

  // Reads anew whether holders are to be noted.
  static void follow_tracking() noexcept;

  Wake acquire_slow(Expiry expiry);
  // For a Condition that must hold the lock again, come what may.
  void lock_uninterrupted() noexcept;
  // Lists a waiter, unless the lock was to be had meanwhile: then true.
  bool list_or_acquire(detail::WaitNode& node) noexcept;
  bool acquire_listed(detail::WaitNode& node) noexcept;
  void release_slow();
  void note_holder() noexcept;
  void note_holder_if_tracked() noexcept;

  std::atomic<Word> word_{0};
  std::atomic<detail::Identity> holder_{0};  // while waits are tracked
  const char* name_ = nullptr;
};

}  // namespace hawser
