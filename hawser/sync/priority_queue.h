// PriorityQueue: a Queue from which the least item comes out first, and of equal ones the one that was put first.
//
//   struct Job { int urgency; std::string what; };
//   struct MoreUrgent { bool operator()(const Job& a, const Job& b) const { return a.urgency > b.urgency; } };
//   PriorityQueue<Job, MoreUrgent> jobs;
//
// Like Python's queue.PriorityQueue, except that there equal priorities come out in no order. `Before` is a strict weak
// ordering, std::less by default; it is called with the queue's mutex held, so it must neither wait nor use the queue.
// When it throws, nothing was put or taken.
//
// put() waits for room and get() for an item; both throw DeadlineExceeded and Cancelled, and then nothing was put or
// taken. A timeout of zero polls, a negative one is std::invalid_argument. Items may be move-only; when moving one
// throws, it stays where it was. Every call from anywhere; the calls are told in detail/locked_queue.h. Nobody may be
// in a call when the queue is destroyed, except one whose effect another context has seen already.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include <hawser/sync/detail/locked_queue.h>
#include <hawser/sync/detail/stable_heap.h>

namespace hawser {

template <class T, class Before = std::less<T>>
class PriorityQueue : public detail::LockedQueue<T, detail::StableHeap<T, Before>> {
 public:
  // maxsize <= 0: no bound. The name appears in dumps of fibers; it must be a literal or outlive the queue.
  explicit PriorityQueue(std::ptrdiff_t maxsize = 0, Before before = {}, const char* name = nullptr)
      : detail::LockedQueue<T, detail::StableHeap<T, Before>>(maxsize, detail::StableHeap<T, Before>(std::move(before)),
                                                              name) {}
};

}  // namespace hawser
