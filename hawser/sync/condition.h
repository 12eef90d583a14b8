// Condition: waits, with a lock held, until another context says that something has changed.
//
//   Lock lock;  Condition changed(lock);
//   { std::lock_guard hold(lock); changed.wait_for([&] { return !jobs.empty(); }); ... }
//   { std::lock_guard hold(lock); jobs.push_back(job); changed.notify_one(); }
//
// The lock is a Lock or an RLock; of an RLock the caller must be the owner, and it is released wholly and then held as
// deep as before. wait() releases the lock, waits and holds the lock again before it returns or throws, also when it
// throws DeadlineExceeded or Cancelled. All calls need the lock and throw std::logic_error without it. Between fibers,
// threads and both; the lock must outlive the Condition. Several Conditions may share one lock. As with Python's
// Condition, a wait without a predicate may find that another context was faster: test what you waited for.
#pragma once

#include <cstddef>

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>
#include <hawser/sync/lock.h>
#include <hawser/sync/rlock.h>

namespace hawser {

class Condition {
 public:
  // The name appears in dumps of fibers; it must be a literal or outlive the Condition.
  explicit Condition(Lock& lock, const char* name = nullptr) noexcept : lock_(lock), name_(name) {}
  explicit Condition(RLock& lock, const char* name = nullptr) noexcept
      : lock_(lock.lock_), recursive_(&lock), name_(name) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  ~Condition() = default;

  // Until notified; false when the timeout came first. Throws std::invalid_argument for a negative timeout.
  bool wait(Timeout timeout = std::nullopt) { return wait_until(Expiry::of(timeout)); }

  // Until predicate(), called with the lock held, is true. Returns what it said last: false only after the timeout.
  template <class Predicate>
  bool wait_for(Predicate&& predicate, Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    while (!predicate())
      if (!wait_until(expiry)) return predicate();
    return true;
  }

  // Wakes up to count waiters, those that have waited longest.
  void notify(std::size_t count);
  void notify_one() { notify(1); }
  void notify_all() { notify(static_cast<std::size_t>(-1)); }

 private:
  void need_lock(const char* operation) const;
  bool wait_until(Expiry expiry);

  Lock& lock_;
  RLock* recursive_ = nullptr;  // the one that lock_ is in
  const char* name_;
  detail::WaitCell cell_;
};

}  // namespace hawser
