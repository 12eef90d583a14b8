#include <hawser/task/work_lane.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include <hawser/base/store_before_loads.h>

namespace hawser::detail {

bool WorkLane::push(PoolWork& work) noexcept {
  std::lock_guard hold(lock_);
  if (closed_) return false;
  work.next = nullptr;
  (tail_ ? tail_->next : head_) = &work;
  tail_ = &work;
  store_before_loads(count_, count_.load(std::memory_order_relaxed) + 1);
  return true;
}

PoolWork* WorkLane::pop() noexcept {
  if (count_.load(std::memory_order_relaxed) == 0) return nullptr;
  std::lock_guard hold(lock_);
  PoolWork* work = head_;
  if (!work) return nullptr;
  head_ = work->next;
  if (!head_) tail_ = nullptr;
  __builtin_prefetch(head_, 1);
  count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_release);
  return work;
}

bool WorkLane::take_all(WorkLane& from) noexcept {
  if (from.empty()) return false;
  std::lock_guard hold(lock_);
  std::lock_guard hold_from(from.lock_);
  head_ = std::exchange(from.head_, nullptr);
  tail_ = std::exchange(from.tail_, nullptr);
  store_before_loads(count_, from.count_.load(std::memory_order_relaxed));
  from.count_.store(0, std::memory_order_release);
  return head_ != nullptr;
}

bool WorkLane::steal(WorkLane& from) noexcept {
  constexpr std::size_t kMost = 16;
  if (from.empty()) return false;
  PoolWork* first = nullptr;
  PoolWork* last = nullptr;
  std::size_t count = 0;
  {
    std::lock_guard hold_from(from.lock_);
    const std::size_t there = from.count_.load(std::memory_order_relaxed);
    if (there == 0) return false;
    count = std::min(kMost, (there + 1) / 2);
    first = last = from.head_;
    for (std::size_t i = 1; i < count; ++i) last = last->next;
    from.head_ = std::exchange(last->next, nullptr);
    if (!from.head_) from.tail_ = nullptr;
    from.count_.store(there - count, std::memory_order_release);
  }
  std::lock_guard hold(lock_);
  head_ = first;
  tail_ = last;
  store_before_loads(count_, count);
  return true;
}

void WorkLane::give_back(WorkLane& to) noexcept {
  std::lock_guard hold(lock_);
  if (!head_) return;
  std::lock_guard hold_to(to.lock_);
  tail_->next = to.head_;
  if (!to.tail_) to.tail_ = tail_;
  to.head_ = std::exchange(head_, nullptr);
  tail_ = nullptr;
  store_before_loads(to.count_, to.count_.load(std::memory_order_relaxed) + count_.load(std::memory_order_relaxed));
  count_.store(0, std::memory_order_release);
}

void WorkLane::close() noexcept {
  std::lock_guard hold(lock_);
  closed_ = true;
}

}  // namespace hawser::detail
