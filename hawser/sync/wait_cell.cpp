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
  word_.store(value * kOne | (first_ ? kWaiters : 0), std::memory_order_release);
}

void WaitCell::push_back(WaitNode& node) noexcept {
  node.previous = last_;
  node.next = nullptr;
  node.listed = true;
  (last_ ? last_->next : first_) = &node;
  last_ = &node;
}

void WaitCell::push_front(WaitNode& node) noexcept {
  node.previous = nullptr;
  node.next = first_;
  node.listed = true;
  (first_ ? first_->previous : last_) = &node;
  first_ = &node;
}

void WaitCell::remove(WaitNode& node) noexcept {
  (node.previous ? node.previous->next : first_) = node.next;
  (node.next ? node.next->previous : last_) = node.previous;
  node.listed = false;
}

bool WaitCell::wake_first(bool grant) noexcept {
  WaitNode* node = first_;
  if (!node) return false;
  remove(*node);
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
    push_front(node);
  } else {
    push_back(node);
  }
  leave(value);
}

bool WaitCell::withdraw(WaitNode& node) noexcept {
  const Word value = enter();
  const bool listed = node.listed;
  if (listed) remove(node);
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
