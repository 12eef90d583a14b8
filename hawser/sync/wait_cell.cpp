#include <hawser/sync/detail/wait_cell.h>

#include <hawser/fiber/spin.h>

namespace hawser::detail {

WaitCell::Word WaitCell::enter() noexcept {
  for (int round = 0;; ++round) {
    const Word before = word_.fetch_or(kBusy, std::memory_order_acq_rel);
    if (!(before & kBusy)) return before / kOne;
    while (word_.load(std::memory_order_relaxed) & kBusy) pause_or_yield(round++);
  }
}

void WaitCell::leave(Word value) noexcept {
  word_.store(value * kOne | (waiting_.empty() ? 0 : kWaiters), std::memory_order_release);
}

bool WaitCell::wake_first(bool grant) noexcept {
  WaitNode* node = waiting_.front();
  if (!node) return false;
  waiting_.remove(*node);
  node->granted = grant;
  node->waiter.unpark();
  return true;
}

void WaitCell::wake_all(bool grant) noexcept {
  while (wake_first(grant)) {
  }
}

void WaitCell::list(WaitNode& node) noexcept {
  const Word value = enter();
  if (node.insists) {
    waiting_.push_front(node);
  } else {
    waiting_.push_back(node);
  }
  leave(value);
}

bool WaitCell::withdraw(WaitNode& node) noexcept {
  const Word value = enter();
  const bool listed = node.listed;
  if (listed) waiting_.remove(node);
  leave(value);
  return listed;
}

void WaitCell::release_one() noexcept {
  const Word value = enter();
  wake_first(false);
  leave(value);
}

void WaitCell::release_all() noexcept {
  const Word value = enter();
  wake_all(false);
  leave(value);
}

void WaitCell::settle() const noexcept {
  for (int round = 0; word_.load(std::memory_order_acquire) & kBusy; ++round) pause_or_yield(round);
}

Wake WaitCell::wait(WaitNode& node, Expiry expiry) noexcept {
  const Wake why = node.waiter.park(expiry);
  if (why != Wake::ready) return withdraw(node) ? why : Wake::ready;
  settle();
  return why;
}

void WaitCell::wait_uninterrupted(WaitNode& node) noexcept {
  node.waiter.park_uninterrupted();
  settle();
}

}  // namespace hawser::detail
