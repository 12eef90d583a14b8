// BiasedLock: a spin lock for a few instructions that lets the thread which nearly always takes it do so without an
// atomic operation. That thread only says that it is inside and looks whether the bias still stands; whoever else comes
// takes the bias away first, which costs a heavy_fence(). A queue's ends are like that: one thread puts for long, or
// one thread gets.
//
// The bias begins after kStreak times in a row by one thread and goes to no other thread ever after, since the first
// one may have been stopped for any time between saying that it is inside and looking. Held across no wait, allocation
// aside; any thread that took it lets go of it.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/fiber/asymmetric_fence.h>
#include <hawser/fiber/spin.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/thread_mark.h>

namespace hawser::detail {

class BiasedLock {
 public:
  class Hold {
   public:
    [[gnu::always_inline]] explicit Hold(BiasedLock& lock) noexcept : lock_(lock), biased_(lock.enter()) {
      if (!biased_) lock.lock();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    [[gnu::always_inline]] ~Hold() {
      if (biased_) {
        lock_.inside_.store(false, std::memory_order_release);
      } else {
        lock_.spin_.unlock();
      }
    }

   private:
    BiasedLock& lock_;
    const bool biased_;
  };

 private:
  static constexpr std::uint32_t kStreak = 256;

  [[gnu::always_inline]] bool enter() noexcept {
    const std::uintptr_t me = thread_mark();
    if (owner_.load(std::memory_order_relaxed) != me) return false;
    inside_.store(true, std::memory_order_relaxed);
    light_fence();
    if (owner_.load(std::memory_order_relaxed) == me) return true;
    inside_.store(false, std::memory_order_release);
    return false;
  }

  [[gnu::noinline]] void lock() noexcept {
    spin_.lock();
    const std::uintptr_t me = thread_mark();
    if (owner_.load(std::memory_order_relaxed) != 0) {
      owner_.store(0, std::memory_order_relaxed);
      heavy_fence();
      for (int round = 0; inside_.load(std::memory_order_acquire); ++round) pause_or_yield(round);
      streak_ = 0;
    } else if (me != last_) {
      last_ = me;
      streak_ = 0;
    } else if (++streak_ == kStreak && (favourite_ == 0 || favourite_ == me) && asymmetric_fences()) {
      favourite_ = me;
      owner_.store(me, std::memory_order_relaxed);  // others see it with the spin lock
    }
  }

  std::atomic<std::uintptr_t> owner_{0};  // who needs no atomic operation; 0: everybody does
  std::atomic<bool> inside_{false};       // written by the favourite only
  SpinLock spin_;
  // Guarded by spin_.
  std::uint32_t streak_ = 0;
  std::uintptr_t last_ = 0;
  std::uintptr_t favourite_ = 0;
};

}  // namespace hawser::detail
