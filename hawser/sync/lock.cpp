#include <hawser/sync/lock.h>

#include <mutex>
#include <optional>
#include <stdexcept>

#include <hawser/fiber/spin.h>
#include <hawser/fiber/wait_graph.h>

// Who releases writes 0 and then looks for waiters; who waits counts itself in and then looks whether the word is 0.
// One of them must see the other, so both need a full fence between writing and looking. unlock() does without: whoever
// starts to wait makes up for it with heavy_fence(), but only for a holder that will release with unlock()'s plain
// write: one on another thread whose word says so. Everybody else releases with a full fence of their own.

namespace hawser {

using detail::ParkingLot;
using detail::TrackedWait;
using detail::WaitNode;
using detail::Wanted;

constinit std::atomic<Lock::Word> Lock::holder_flags_{Lock::kFenced};

bool Lock::acquire(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  if (try_lock()) return true;
  const Wake why = acquire_slow(expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "lock");
  return true;
}

Wake Lock::acquire_slow(Expiry expiry) {
  if (!expiry.passed() && detail::spin_until([this] { return try_lock(); })) return Wake::ready;
  for (bool overtaken = false;; overtaken = true) {
    WaitNode node("lock", name_);
    node.waiter.set_holder(&holder_);
    node.insists = overtaken;
    std::optional<TrackedWait> tracked;
    if (detail::waits_are_tracked() && !expiry.passed()) {
      tracked.emplace(Wanted{Wanted::Kind::lock, name_, this, holder_}, !expiry.is_never(),
                      TrackedWait::Raise::allowed);
    }
    const bool had = list_or_acquire(node);
    const Wake why = had ? Wake::ready : ParkingLot::wait(node, this, expiry);
    tracked.reset();  // first: who waits for what it holds itself looks like a deadlock
    if (had || node.granted) {
      note_holder_if_tracked();
      return Wake::ready;
    }
    if (why != Wake::ready) return why;
    if (try_lock()) return Wake::ready;
  }
}

void Lock::lock_uninterrupted() noexcept {
  for (bool overtaken = false; !try_lock(); overtaken = true) {
    WaitNode node("lock", name_);
    node.waiter.set_holder(&holder_);
    node.insists = overtaken;
    std::optional<TrackedWait> tracked;
    if (detail::waits_are_tracked()) {
      tracked.emplace(Wanted{Wanted::Kind::lock, name_, this, holder_}, false, TrackedWait::Raise::never);
    }
    const bool had = list_or_acquire(node);
    if (!had) node.waiter.park_uninterrupted();
    tracked.reset();
    if (had || node.granted) {
      note_holder_if_tracked();
      return;
    }
  }
}

// For one to whom it was given. A word without kFenced is released without forgetting who held it.
void Lock::note_holder_if_tracked() noexcept {
  if (detail::waits_are_tracked() && (word_.load(std::memory_order_relaxed) & kFenced)) note_holder();
}

void Lock::note_holder() noexcept { holder_.store(detail::introduce_holder(), std::memory_order_relaxed); }

bool Lock::list_or_acquire(WaitNode& node) noexcept {
  ParkingLot::Bucket& bucket = ParkingLot::bucket(this);
  Word holder = 0;
  {
    std::lock_guard hold(bucket.lock);
    bucket.waiters.fetch_add(1, std::memory_order_seq_cst);
    holder = word_.load(std::memory_order_seq_cst);
    for (;;) {
      if (holder == 0) {
        if (!word_.compare_exchange_weak(holder, mine(), std::memory_order_seq_cst)) continue;
        bucket.waiters.fetch_sub(1, std::memory_order_relaxed);
        return true;
      }
      if (!node.insists || (holder & kInsisted)) break;
      if (word_.compare_exchange_weak(holder, holder | kInsisted, std::memory_order_seq_cst)) break;
    }
    bucket.list(node, this);
  }
  if ((holder & kFenced) || (holder & ~kInsisted) == detail::thread_mark()) return false;
  detail::heavy_fence();
  return word_.load(std::memory_order_seq_cst) == 0 && acquire_listed(node);
}

// For a waiter that may have been listed too late to be seen. False: it was chosen meanwhile, or somebody else has the
// lock and will see it.
bool Lock::acquire_listed(WaitNode& node) noexcept {
  ParkingLot::Bucket& bucket = ParkingLot::bucket(this);
  std::lock_guard hold(bucket.lock);
  Word expected = 0;
  if (!node.listed || !word_.compare_exchange_strong(expected, mine(), std::memory_order_acquire)) return false;
  bucket.remove(node);
  return true;
}

// The one that is woken competes with whoever comes by, which saves a sleeping thread's wake-up time on every release;
// one that has lost that race once gets the lock from hand to hand.
void Lock::release_slow() {
  Word holder = word_.load(std::memory_order_relaxed);
  if (holder == 0) throw std::logic_error("release of a lock that is not locked");
  holder_.store(0, std::memory_order_relaxed);
  if (!(holder & kInsisted) && word_.compare_exchange_strong(holder, 0, std::memory_order_seq_cst)) {
    if (ParkingLot::crowded(this, std::memory_order_seq_cst)) ParkingLot::wake_first(this);
    return;
  }
  ParkingLot::Bucket& bucket = ParkingLot::bucket(this);
  std::lock_guard hold(bucket.lock);
  WaitNode* const next = bucket.first_for(this);
  const bool hand_over = next && next->insists;
  // The new owner is held to be on no thread in particular.
  word_.exchange(hand_over ? kFenced : 0, std::memory_order_seq_cst);
  if (!next) return;
  next->granted = hand_over;
  bucket.remove(*next);
  next->waiter.unpark();
}

// Who acquired under one setting is met as its word says, whatever the setting is by then.
void Lock::follow_tracking() noexcept {
  const Word fenced = detail::asymmetric_fences() ? 0 : kFenced;
  holder_flags_.store(detail::waits_are_tracked() ? kFenced | kTracked : fenced, std::memory_order_relaxed);
}

[[maybe_unused]] const bool Lock::chosen_ = (follow_tracking(), true);

}  // namespace hawser
