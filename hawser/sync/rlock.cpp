#include <hawser/sync/rlock.h>

#include <stdexcept>
#include <utility>

namespace hawser {

using detail::Identity;

bool RLock::enter_again(Identity self) noexcept {
  if (owner_.load(std::memory_order_relaxed) != self) return false;
  ++depth_;
  return true;
}

void RLock::now_owned_by(Identity self, std::size_t depth) noexcept {
  owner_.store(self, std::memory_order_relaxed);
  depth_ = depth;
}

void RLock::lock() {
  const Identity self = detail::current_identity();
  if (enter_again(self)) return;
  lock_.lock();
  now_owned_by(self, 1);
}

bool RLock::try_lock() noexcept {
  const Identity self = detail::current_identity();
  if (enter_again(self)) return true;
  if (!lock_.try_lock()) return false;
  now_owned_by(self, 1);
  return true;
}

bool RLock::acquire(Timeout timeout) {
  static_cast<void>(Expiry::of(timeout));  // a negative one is refused, whoever calls
  const Identity self = detail::current_identity();
  if (enter_again(self)) return true;
  if (!lock_.acquire(timeout)) return false;
  now_owned_by(self, 1);
  return true;
}

void RLock::unlock() {
  if (!owned()) throw std::logic_error("release of an RLock by another than its owner");
  if (--depth_ != 0) return;
  owner_.store(0, std::memory_order_relaxed);
  lock_.unlock();
}

std::size_t RLock::unlock_wholly() {
  const std::size_t depth = std::exchange(depth_, 0);
  owner_.store(0, std::memory_order_relaxed);
  lock_.unlock();
  return depth;
}

void RLock::lock_uninterrupted(std::size_t depth) noexcept {
  lock_.lock_uninterrupted();
  now_owned_by(detail::current_identity(), depth);
}

}  // namespace hawser
