// ParkingLot: who waits for which lock, kept beside the locks and not in them: a fixed table of buckets that a lock's
// address chooses. So a lock holds no list, and whoever lets go of it can look for waiters after the last touch of the
// lock itself, which another thread may have destroyed by then. (The idea is WebKit's, 2015.)
//
// Locks that meet in one bucket see each other's waiters as "somebody may wait here" and look in vain; nothing worse.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/sync/detail/wait_cell.h>
#include <hawser/sync/detail/wait_list.h>

namespace hawser::detail {

class ParkingLot {
 public:
  // Guards the list for the few instructions that it takes to link a node or to wake one.
  struct alignas(64) Bucket {
    SpinLock lock;
    std::atomic<std::uint32_t> waiters{0};
    WaitList<WaitNode> nodes;

    // With the lock held. list() does not count: `waiters` goes up before the last look at what is waited for.
    void list(WaitNode& node, const void* place) noexcept;  // at the end; at the front when it insists
    void remove(WaitNode& node) noexcept;                   // and counts down
    [[nodiscard]] WaitNode* first_for(const void* place) const noexcept;
  };

  [[nodiscard]] static Bucket& bucket(const void* place) noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(place);
    return buckets_[((at >> 4) ^ (at >> 12)) % buckets_.size()];
  }
  // Whether somebody may wait at this place. Does not touch the place.
  [[nodiscard]] static bool crowded(const void* place, std::memory_order order) noexcept {
    return bucket(place).waiters.load(order) != 0;
  }
  // Wakes who has waited longest at this place, if anybody. Does not touch the place.
  static void wake_first(const void* place) noexcept;

  // Parks on a node that is listed. Returns ready also when the wait ended early but the node had been chosen already:
  // a wake-up is never swallowed. Otherwise the node is off the list.
  [[nodiscard]] static Wake wait(WaitNode& node, const void* place, Expiry expiry) noexcept;

 private:
  static void forget_all(void*) noexcept;
  static std::array<Bucket, 256> buckets_;
  static const bool registered_;
};

}  // namespace hawser::detail
