// LifoQueue: a Queue from which the latest item comes out first, like Python's queue.LifoQueue.
//
// put() waits for room and get() for an item; both throw DeadlineExceeded and Cancelled, and then nothing was put or
// taken. A timeout of zero polls, a negative one is std::invalid_argument. Items may be move-only; when moving one
// throws, it stays where it was. Every call from anywhere; the calls are told in detail/locked_queue.h. Nobody may be
// in a call when the queue is destroyed, except one whose effect another context has seen already.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <hawser/sync/detail/carried.h>
#include <hawser/sync/detail/locked_queue.h>

namespace hawser {

namespace detail {

template <class T>
class Pile {
 public:
  using Items = std::vector<Carried<T>>;
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  void swap(Items& other) noexcept { items_.swap(other); }
  void push(T&& item) { items_.emplace_back(std::move(item)); }
  T pop() {
    T top = std::move(items_.back().item());
    items_.pop_back();
    return top;
  }

 private:
  Items items_;
};

}  // namespace detail

template <class T>
class LifoQueue : public detail::LockedQueue<T, detail::Pile<T>> {
 public:
  // maxsize <= 0: no bound. The name appears in dumps of fibers; it must be a literal or outlive the queue.
  explicit LifoQueue(std::ptrdiff_t maxsize = 0, const char* name = nullptr)
      : detail::LockedQueue<T, detail::Pile<T>>(maxsize, {}, name) {}
};

}  // namespace hawser
