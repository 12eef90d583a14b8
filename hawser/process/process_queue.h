// ProcessQueue: a Queue between processes, like Python's multiprocessing.JoinableQueue.
//
//   ProcessQueue<Job> jobs(100);
//   Process child([&] { while (true) { work(jobs.get()); jobs.task_done(); } }, {.daemon = true});
//   child.start();   jobs.put(Job{...});   jobs.join();
//
// Made before the processes that share it are forked from this one; each has the same queue. Any number of fibers,
// threads and processes may put and get, as in <hawser/sync/queue.h>: in order, bounded, with timeouts (zero polls), a
// count of what is dealt with, and shutdown. Items are copied as <hawser/process/serialise.h> tells; what can't be is
// refused by the compiler, and put() has written the whole item when it returns: no thread in the background.
//
// The bound is maxsize items (0: no such bound) and, in any case, capacity_bytes for all of them, which are mapped at
// once and committed as they are touched. A process that dies, however and wherever, even in the middle of put() or
// get(), leaves the queue whole for the others: its step was done or was not. What it had got is gone with it, and an
// item it did not call task_done() for stays counted.
//
// put() and get() throw Full and Empty when the timeout came first, ShutDown, DeadlineExceeded and Cancelled; put()
// std::length_error for an item larger than capacity_bytes, get() SerialiseError when another process has put something
// else than a T. The queue goes with the last process that has it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/process/serialise.h>
#include <hawser/process/shared_queue.h>
#include <hawser/sync/queue_errors.h>

namespace hawser {

struct ProcessQueueOptions {
  std::size_t capacity_bytes = std::size_t{1} << 20;
};

template <class T>
class ProcessQueue {
  static_assert((detail::must_be_serialisable<T>(), true));

 public:
  // Throws SystemError.
  explicit ProcessQueue(std::ptrdiff_t maxsize = 0, ProcessQueueOptions options = {})
      : queue_(maxsize > 0 ? static_cast<std::size_t>(maxsize) : 0, options.capacity_bytes), maxsize_(maxsize) {}

  void put(const T& item, Timeout timeout = std::nullopt) {
    if (!put_until(item, Expiry::of(timeout))) throw Full();
  }
  void put_nowait(const T& item) { put(item, Duration::zero()); }
  // False when there is no room. Throws ShutDown.
  [[nodiscard]] bool try_put(const T& item) { return put_until(item, Expiry::in(Duration::zero())); }

  T get(Timeout timeout = std::nullopt) {
    auto item = get_until(Expiry::of(timeout));
    if (!item) throw Empty();
    return std::move(*item);
  }
  T get_nowait() { return get(Duration::zero()); }
  // Nothing when there is no item now. Throws ShutDown when there will never be one.
  [[nodiscard]] std::optional<T> try_get() { return get_until(Expiry::in(Duration::zero())); }

  // What these say may have changed by the time the caller looks.
  [[nodiscard]] std::size_t qsize() const noexcept { return queue_.size(); }
  [[nodiscard]] bool empty() const noexcept { return qsize() == 0; }
  [[nodiscard]] bool full() const noexcept { return queue_.full(); }
  [[nodiscard]] std::size_t maxsize() const noexcept { return maxsize_ > 0 ? static_cast<std::size_t>(maxsize_) : 0; }

  // Says that one item that was got is dealt with. Throws std::logic_error when there were not so many.
  void task_done() { queue_.task_done(); }
  // Waits until task_done() was called for every item put. False when the timeout came first.
  bool join(Timeout timeout = std::nullopt) { return queue_.join(Expiry::of(timeout)); }

  // In every process: put() throws from now on, get() gives what is left and then throws. `immediate` drops what is
  // left and frees all who join().
  void shutdown(bool immediate = false) { queue_.shutdown(immediate); }

 private:
  bool put_until(const T& item, Expiry expiry) {
    std::string message;
    append_bytes(message, item);
    return queue_.put(message, expiry);
  }
  std::optional<T> get_until(Expiry expiry) {
    const auto message = queue_.get(expiry);
    if (!message) return std::nullopt;
    return std::optional<T>(from_bytes<T>(*message));
  }

  detail::SharedQueue queue_;
  std::ptrdiff_t maxsize_;
};

}  // namespace hawser
