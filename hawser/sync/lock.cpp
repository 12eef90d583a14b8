#include <hawser/sync/lock.h>

#include <stdexcept>

#include <hawser/fiber/spin.h>

namespace hawser {

using detail::WaitNode;

bool Lock::try_lock_slow() noexcept {
  const auto held = cell_.enter();
  cell_.leave(1);
  return held == 0;
}

bool Lock::acquire(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  if (try_lock()) return true;
  const Wake why = acquire_slow(expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "lock");
  return true;
}

Wake Lock::acquire_slow(Expiry expiry) noexcept {
  if (!expiry.passed() && detail::spin_until([this] { return try_lock(); })) return Wake::ready;
  for (bool overtaken = false;; overtaken = true) {
    if (cell_.enter() == 0) {
      cell_.leave(1);
      return Wake::ready;
    }
    WaitNode node("lock");
    node.insists = overtaken;
    if (overtaken) {
      cell_.push_front(node);
    } else {
      cell_.push_back(node);
    }
    cell_.leave(1);
    const Wake why = cell_.wait(node, expiry);
    if (node.granted || why != Wake::ready) return why;
  }
}

void Lock::lock_uninterrupted() noexcept {
  for (bool overtaken = false; !try_lock(); overtaken = true) {
    if (cell_.enter() == 0) {
      cell_.leave(1);
      return;
    }
    WaitNode node("lock");
    node.insists = overtaken;
    cell_.push_back(node);
    cell_.leave(1);
    cell_.wait_uninterrupted(node);
    if (node.granted) return;
  }
}

// The one that is woken competes with whoever comes by, which saves a sleeping thread's wake-up time on every release;
// one that has lost that race once gets the lock from hand to hand.
void Lock::release_slow() {
  if (cell_.enter() == 0) {
    cell_.leave(0);
    throw std::logic_error("release of a lock that is not locked");
  }
  const WaitNode* next = cell_.front();
  const bool hand_over = next && next->insists;
  cell_.wake_first(hand_over);
  cell_.leave(hand_over ? 1 : 0);
}

}  // namespace hawser
