// Queue: items in order, first in first out, between fibers, threads and both; with a bound, task counting and shutdown
// like Python's queue.Queue.
//
//   Queue<Job> jobs(100);  jobs.put(job, 2s);  Job next = jobs.get();  jobs.task_done();  jobs.join();
//
// put() waits for room and get() for an item; both throw DeadlineExceeded and Cancelled, and then nothing was put or
// taken. A timeout of zero polls, a negative one is std::invalid_argument. Items may be move-only; when moving one
// throws, it stays where it was. Every call from anywhere. Nobody may be in a call when the queue is destroyed, except
// a put() or get() whose effect another context has seen already and which is just returning.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/detail/biased_lock.h>
#include <hawser/sync/detail/linger.h>
#include <hawser/sync/detail/segments.h>
#include <hawser/sync/detail/task_count.h>
#include <hawser/sync/detail/wait_cell.h>
#include <hawser/sync/queue_errors.h>

namespace hawser {

template <class T>
class Queue {
 public:
  // maxsize <= 0: no bound. The name appears in dumps of fibers; it must be a literal or outlive the queue.
  explicit Queue(std::ptrdiff_t maxsize = 0, const char* name = nullptr) noexcept
      : bound_(maxsize > 0 ? static_cast<std::uint64_t>(maxsize) : kUnbounded), name_(name) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() {
    const detail::BiasedLock::Hold hold_put(put_.lock);
    const detail::BiasedLock::Hold hold_get(get_.lock);
    for (auto at = get_.count.load(std::memory_order_acquire); at != put_.count.load(std::memory_order_acquire); ++at)
      items_.destroy(at);
  }

  // Throws Full when there was no room within the timeout; ShutDown, at once, after shutdown().
  void put(T item) {
    // NOLINTNEXTLINE(bugprone-use-after-move): an item for which there was no room is left as it was
    if (!try_put_here(std::move(item))) put_slow(item, Expiry::never());
  }
  void put(T item, Timeout timeout) {
    refuse_negative(timeout);
    // NOLINTNEXTLINE(bugprone-use-after-move)
    if (!try_put_here(std::move(item))) put_slow(item, Expiry::of(timeout));
  }
  // Throws Full, ShutDown.
  void put_nowait(T item) {
    if (!try_put(std::move(item))) throw Full();
  }
  // False, and item is left as it was, when there is no room. Throws ShutDown.
  [[nodiscard]] bool try_put(T&& item) { return try_put_here(std::move(item)); }

  // Throws Empty when nothing came within the timeout; ShutDown when the queue is shut down and nothing is left.
  T get() {
    {
      const detail::BiasedLock::Hold hold(get_.lock);
      if (item_there()) return take<T>();
    }
    return get_slow(Expiry::never());
  }
  T get(Timeout timeout) {
    refuse_negative(timeout);
    {
      const detail::BiasedLock::Hold hold(get_.lock);
      if (item_there()) return take<T>();
    }
    return get_slow(Expiry::of(timeout));
  }
  // Throws Empty, ShutDown.
  T get_nowait() {
    auto item = try_get();
    if (!item) throw Empty();
    return std::move(*item);
  }
  // Nothing when there is no item now. Throws ShutDown when there will never be one.
  [[nodiscard]] std::optional<T> try_get() {
    const detail::BiasedLock::Hold hold(get_.lock);
    if (!item_there()) return std::nullopt;
    return take<std::optional<T>>();
  }

  // What these say may have changed by the time the caller looks.
  [[nodiscard]] std::size_t qsize() const noexcept {
    const auto taken = get_.count.load(std::memory_order_acquire);
    return static_cast<std::size_t>(put_.count.load(std::memory_order_acquire) - taken);
  }
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
    detail::Segments<T> dropped;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    {
      const detail::BiasedLock::Hold hold_put(put_.lock);
      const detail::BiasedLock::Hold hold_get(get_.lock);
      shut_down_.store(true, std::memory_order_release);
      if (immediate) {
        first = get_.count.load(std::memory_order_relaxed);
        last = put_.count.load(std::memory_order_relaxed);
        items_.move_to(dropped);
        get_.count.store(last, std::memory_order_release);
        get_.other_seen = last;
      }
      putters_.release_all();
      getters_.release_all();
      if (immediate) tasks_.abandon(last - first);
    }
    for (; first != last; ++first) dropped.destroy(first);  // without our locks: a destructor may use the queue
  }
  [[nodiscard]] bool is_shut_down() const noexcept { return shut_down_.load(std::memory_order_acquire); }

 private:
  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

  // Putting and getting share no lock and touch each other's count only when the queue looks full or empty.
  struct alignas(64) Side {
    detail::BiasedLock lock;
    std::uint64_t other_seen = 0;         // the other side's count when we last looked
    std::atomic<std::uint64_t> count{0};  // items put, or taken, so far
    detail::Linger linger;
  };

  static void refuse_negative(Timeout timeout) {
    if (timeout && *timeout < Duration::zero()) static_cast<void>(Expiry::of(timeout));  // throws
  }

  // Part of put() and get(), also where the compiler finds that too much: a call costs as much as all of it.
  [[gnu::always_inline]] bool try_put_here(T&& item) {
    const detail::BiasedLock::Hold hold(put_.lock);
    if (is_shut_down()) throw ShutDown();
    const auto at = put_.count.load(std::memory_order_relaxed);
    if (at - put_.other_seen >= bound_) {
      put_.other_seen = get_.count.load(std::memory_order_acquire);
      if (at - put_.other_seen >= bound_) return false;
    }
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      items_.construct(at, std::move(item));
    } else {
      try {
        items_.construct(at, std::move(item));
      } catch (...) {
        pass_on(putters_);
        throw;
      }
    }
    put_.count.store(at + 1, std::memory_order_release);
    pass_on(getters_);
    return true;
  }

  // With get_.lock held. Throws ShutDown when there will never be one.
  [[gnu::always_inline]] bool item_there() {
    const auto at = get_.count.load(std::memory_order_relaxed);
    if (at != get_.other_seen) return true;
    const bool last_look = is_shut_down();  // before the count: what was put before the shutdown is still seen
    get_.other_seen = put_.count.load(std::memory_order_acquire);
    if (at != get_.other_seen) return true;
    if (last_look) throw ShutDown();
    return false;
  }

  // With get_.lock held, when there is an item. Moves it once: into a T or a std::optional<T>.
  template <class Item>
  [[gnu::always_inline]] Item take() {
    // Says so, and lets a getter that waits for its turn have the item when moving it has failed.
    struct Taken {
      Queue& queue;
      std::uint64_t at;
      bool moved = false;
      ~Taken() {
        if (moved) {
          queue.items_.destroy(at);
          queue.get_.count.store(at + 1, std::memory_order_release);
        }
        pass_on(moved ? queue.putters_ : queue.getters_);
      }
    } taken{*this, get_.count.load(std::memory_order_relaxed)};
    Item item(std::move(items_.item(taken.at)));
    taken.moved = true;
    return item;
  }

  [[gnu::noinline]] void put_slow(T& item, Expiry expiry) {
    const auto changed = [this] { return !full() || is_shut_down(); };
    for (bool again = false;; again = true) {
      if (expiry.passed()) throw Full();
      if (!again && detail::spin_until(changed)) {
        put_.linger.after_a_spin([this] { return bound_ - qsize(); });
      } else {
        wait(putters_, get_, changed, again, expiry, "queue put");
      }
      if (try_put_here(std::move(item))) return;  // NOLINT(bugprone-use-after-move): moved only when put
    }
  }

  [[gnu::noinline]] T get_slow(Expiry expiry) {
    const auto changed = [this] { return !empty() || is_shut_down(); };
    for (bool again = false;; again = true) {
      if (expiry.passed()) throw Empty();
      if (!again && detail::spin_until(changed)) {
        get_.linger.after_a_spin([this] { return qsize(); });
      } else {
        wait(getters_, put_, changed, again, expiry, "queue get");
      }
      const detail::BiasedLock::Hold hold(get_.lock);
      if (item_there()) return take<T>();
    }
  }

  static void pass_on(detail::WaitCell& waiting) noexcept {
    if (waiting.has_waiters()) waiting.release_one();
  }

  // Waits until the other side has moved on. Who waits lists itself under the other side's lock, where it also looks
  // for the last time; so that side, which holds its lock anyway, sees every waiter without a fence of its own. Returns
  // also when the expiry has passed: the caller tries once more and then sees that for itself.
  template <class Changed>
  void wait(detail::WaitCell& waiting, Side& other, Changed& changed, bool again, Expiry expiry, const char* what) {
    detail::WaitNode node(what, name_);
    node.insists = again;
    {
      const detail::BiasedLock::Hold hold(other.lock);
      if (changed()) return;
      waiting.list(node);
    }
    const Wake why = waiting.wait(node, expiry);
    if (why != Wake::expired) throw_unless_ready(why, what);
  }

  Side put_;
  Side get_;
  detail::Segments<T> items_;
  const std::uint64_t bound_;
  const char* const name_;
  std::atomic<bool> shut_down_{false};
  detail::WaitCell getters_;
  detail::WaitCell putters_;
  detail::TaskCount tasks_{put_.count};
};

}  // namespace hawser
