// LockedQueue: what LifoQueue and PriorityQueue share: bound, waiting, task counting and shutdown around a store that
// says in which order items come out. One mutex, held for as long as an item goes in or out. (Queue, whose ends don't
// meet, has a design of its own.)
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/detail/task_count.h>
#include <hawser/sync/detail/wait_cell.h>
#include <hawser/sync/queue_errors.h>

namespace hawser::detail {

// Store: size(), push(T&&), T pop(), swap(Items&) noexcept. When push or pop throws, nothing has changed.
template <class T, class Store>
class LockedQueue {
 public:
  LockedQueue(const LockedQueue&) = delete;
  LockedQueue& operator=(const LockedQueue&) = delete;

  // Throws Full when there was no room within the timeout; ShutDown, at once, after shutdown().
  void put(T item, Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    // NOLINTNEXTLINE(bugprone-use-after-move): an item for which there was no room is left as it was
    for (bool again = false; !try_put(std::move(item)); again = true) {
      if (expiry.passed()) throw Full();
      wait(
          putters_, [this] { return store_.size() < bound_ || shut_down_; }, again, expiry, "queue put");
    }
  }
  // Throws Full, ShutDown.
  void put_nowait(T item) {
    if (!try_put(std::move(item))) throw Full();
  }
  // False, and item is left as it was, when there is no room. Throws ShutDown.
  [[nodiscard]] bool try_put(T&& item) {
    std::lock_guard hold(mutex_);
    if (shut_down_) throw ShutDown();
    if (store_.size() >= bound_) return false;
    try {
      store_.push(std::move(item));
    } catch (...) {
      pass_on(putters_);
      throw;
    }
    count_.store(store_.size(), std::memory_order_release);
    made_.fetch_add(1, std::memory_order_release);
    pass_on(getters_);
    return true;
  }

  // Throws Empty when nothing came within the timeout; ShutDown when the queue is shut down and nothing is left.
  T get(Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    for (bool again = false;; again = true) {
      if (auto item = try_get()) return std::move(*item);
      if (expiry.passed()) throw Empty();
      wait(
          getters_, [this] { return store_.size() != 0 || shut_down_; }, again, expiry, "queue get");
    }
  }
  // Throws Empty, ShutDown.
  T get_nowait() {
    auto item = try_get();
    if (!item) throw Empty();
    return std::move(*item);
  }
  // Nothing when there is no item now. Throws ShutDown when there will never be one.
  [[nodiscard]] std::optional<T> try_get() {
    std::lock_guard hold(mutex_);
    if (store_.size() == 0) {
      if (shut_down_) throw ShutDown();
      return std::nullopt;
    }
    try {
      std::optional<T> item(store_.pop());
      count_.store(store_.size(), std::memory_order_release);
      pass_on(putters_);
      return item;
    } catch (...) {
      pass_on(getters_);
      throw;
    }
  }

  // What these say may have changed by the time the caller looks.
  [[nodiscard]] std::size_t qsize() const noexcept { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] bool empty() const noexcept { return qsize() == 0; }
  [[nodiscard]] bool full() const noexcept { return qsize() >= bound_; }
  // 0 when there is no bound.
  [[nodiscard]] std::size_t maxsize() const noexcept { return bound_ == kUnbounded ? 0 : bound_; }

  // Says that one item that was got is dealt with. Throws std::logic_error when there were not so many.
  void task_done() { tasks_.done(); }
  // Waits until task_done() was called for every item put. False when the timeout came first.
  bool join(Timeout timeout = std::nullopt) { return tasks_.join(Expiry::of(timeout), name_); }

  // From now on put() throws, also those that wait; get() gives what is left and then throws. `immediate` drops what is
  // left and frees all who join(). May be called again.
  void shutdown(bool immediate = false) {
    typename Store::Items dropped;  // destroyed without the mutex: a destructor may use the queue
    std::lock_guard hold(mutex_);
    shut_down_ = true;
    putters_.release_all();
    getters_.release_all();
    if (!immediate) return;
    store_.swap(dropped);
    count_.store(0, std::memory_order_release);
    tasks_.abandon(dropped.size());
  }
  [[nodiscard]] bool is_shut_down() const noexcept { return shut_down_.load(std::memory_order_acquire); }

 protected:
  LockedQueue(std::ptrdiff_t maxsize, Store store, const char* name)
      : bound_(maxsize > 0 ? static_cast<std::size_t>(maxsize) : kUnbounded), name_(name), store_(std::move(store)) {}
  ~LockedQueue() { std::lock_guard hold(mutex_); }  // whoever is just returning has left by then

 private:
  static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();

  static void pass_on(WaitCell& waiting) noexcept {
    if (waiting.has_waiters()) waiting.release_one();
  }

  // Returns also when the expiry has passed: the caller tries once more and then sees that for itself. Whoever was
  // woken and finds that another one was faster waits at the front the next time.
  template <class Changed>
  void wait(WaitCell& waiting, Changed changed, bool again, Expiry expiry, const char* what) {
    WaitNode node(what, name_);
    node.insists = again;
    {
      std::lock_guard hold(mutex_);
      if (changed()) return;
      waiting.list(node);
    }
    const Wake why = waiting.wait(node, expiry);
    if (why != Wake::expired) throw_unless_ready(why, what);
  }

  const std::size_t bound_;
  const char* const name_;
  std::mutex mutex_;  // guards what follows; never held across a wait
  Store store_;
  std::atomic<bool> shut_down_{false};
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> made_{0};
  WaitCell getters_;
  WaitCell putters_;
  TaskCount tasks_{made_};
};

}  // namespace hawser::detail
