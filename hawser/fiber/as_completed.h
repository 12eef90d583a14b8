// as_completed and wait_any: several tasks, taken as they end.
//
//   for (const Task<int>& task : as_completed(tasks, 5s)) total += task.get();
//   std::optional<std::size_t> first = wait_any(tasks, 1s);
//
// Tasks that have ended already come first, in the order given; the rest in the order of their ends. Errors stay in
// their tasks. Called from any fiber or thread; what as_completed() returns belongs to the context that made it. A task
// that waits for itself is std::logic_error. Waiting throws DeadlineExceeded and Cancelled.
#pragma once

#include <cstddef>
#include <optional>
#include <ranges>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/completed_range.h>
#include <hawser/fiber/completion_queue.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_state.h>

namespace hawser {

namespace detail {

template <TaskRange Tasks>
std::vector<TaskRef> states_of(const Tasks& tasks) {
  std::vector<TaskRef> states;
  for (const AnyTask& task : tasks) states.push_back(state_of(task));
  return states;
}

// The ends of several tasks as a queue of their indexes.
class TaskEnds final : public CompletionQueue {
 public:
  // Throws std::logic_error when the caller is one of them.
  explicit TaskEnds(std::vector<TaskRef> tasks);
  template <TaskRange Tasks>
  explicit TaskEnds(const Tasks& tasks) : TaskEnds(states_of(tasks)) {}
  TaskEnds(const TaskEnds&) = delete;
  TaskEnds& operator=(const TaskEnds&) = delete;
  ~TaskEnds();

 private:
  std::vector<TaskRef> tasks_;
};

}  // namespace detail

// What as_completed() returns: a range to go through once. Its iterator's index() is a task's place among those given.
template <class Handle>
using CompletedTasks = detail::CompletedRange<Handle, detail::TaskEnds>;

// The timeout is for all of them and counts from this call.
template <detail::TaskRange Tasks>
[[nodiscard]] auto as_completed(const Tasks& tasks, Timeout timeout = std::nullopt) {
  using Handle = std::ranges::range_value_t<Tasks>;
  const Expiry expiry = Expiry::of(timeout);
  return CompletedTasks<Handle>(std::vector<Handle>(std::ranges::begin(tasks), std::ranges::end(tasks)), expiry);
}

// The index of the first task to end; nothing when the timeout came first, or when there are no tasks.
template <detail::TaskRange Tasks>
[[nodiscard]] std::optional<std::size_t> wait_any(const Tasks& tasks, Timeout timeout = std::nullopt) {
  const Expiry expiry = Expiry::of(timeout);
  detail::TaskEnds ends(tasks);
  return ends.left() ? ends.next(expiry) : std::nullopt;
}
// The same without a timeout, for tasks of different types.
template <class... T>
requires(sizeof...(T) > 0) [[nodiscard]] std::size_t wait_any(const Task<T>&... tasks) {
  detail::TaskEnds ends({detail::state_of(tasks)...});
  return *ends.next(Expiry::never());
}

}  // namespace hawser
