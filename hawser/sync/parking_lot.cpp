#include <hawser/sync/detail/parking_lot.h>

#include <mutex>
#include <new>

#include <hawser/base/fork.h>

namespace hawser::detail {

constinit std::array<ParkingLot::Bucket, 256> ParkingLot::buckets_;

// A forked child has none of those who wait, and a bucket may have been in use at that moment.
const bool ParkingLot::registered_ = (reset_after_fork(&ParkingLot::forget_all, nullptr), true);

void ParkingLot::forget_all(void*) noexcept {
  for (Bucket& bucket : buckets_) ::new (&bucket) Bucket();
}

void ParkingLot::Bucket::list(WaitNode& node, const void* place) noexcept {
  node.place = place;
  if (node.insists) {
    nodes.push_front(node);
  } else {
    nodes.push_back(node);
  }
}

void ParkingLot::Bucket::remove(WaitNode& node) noexcept {
  nodes.remove(node);
  waiters.fetch_sub(1, std::memory_order_relaxed);
}

WaitNode* ParkingLot::Bucket::first_for(const void* place) const noexcept {
  WaitNode* node = nodes.front();
  while (node && node->place != place) node = node->next;
  return node;
}

void ParkingLot::wake_first(const void* place) noexcept {
  Bucket& at = bucket(place);
  std::lock_guard hold(at.lock);
  WaitNode* node = at.first_for(place);
  if (!node) return;
  at.remove(*node);
  node->waiter.unpark();
}

Wake ParkingLot::wait(WaitNode& node, const void* place, Expiry expiry) noexcept {
  const Wake why = node.waiter.park(expiry);
  if (why == Wake::ready) return why;
  Bucket& at = bucket(place);
  std::lock_guard hold(at.lock);
  if (!node.listed) return Wake::ready;
  at.remove(node);
  return why;
}

}  // namespace hawser::detail
