// TaskGroup: fibers that never outlive a scope.
//
//   TaskGroup group;
//   for (auto& url : urls) group.spawn([&] { save(fetch(url)); });
//   group.join();                          // rethrows the first error
//
// The first error cancels the other tasks. Leaving the scope waits for all of them, cancelling them first when it is
// left by an exception or without join(). Errors that join() did not rethrow are logged, never lost. A group belongs to
// the loop of the fiber that made it: its tasks run there, or on the loops that spawn_on() names; spawn, join, errors
// and size are for fibers of that loop, such as the tasks themselves, cancel() is for every task of the group.
// Elsewhere they throw std::logic_error. A plain thread may not make a group (std::logic_error).
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include <hawser/fiber/task.h>

namespace hawser {

class TaskGroup {
 public:
  TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // After an error or cancel() the body never runs.
  template <class F, class... Args>
  void spawn(F&& function, Args&&... args) {
    start(detail::make_task<void>(
        [body = std::bind_front(std::forward<F>(function), std::forward<Args>(args)...)]() mutable {
          static_cast<void>(body());
        }));
  }

  // The same on loop number `loop` of this run(): the group still waits for it, and an error or cancel() still ends all
  // tasks of all loops. Throws std::out_of_range when there is no such loop, std::bad_alloc.
  template <class F, class... Args>
  void spawn_on(int loop, F&& function, Args&&... args) {
    start_on(loop, detail::make_task<void>(
                       [body = std::bind_front(std::forward<F>(function), std::forward<Args>(args)...)]() mutable {
                         static_cast<void>(body());
                       }));
  }

  // Waits for all, then rethrows the first error; errors() has the others too. When the wait itself ends early
  // (Deadline, cancellation), the tasks are cancelled and waited for first.
  void join();

  // Asks all tasks to stop; join() then does not rethrow their Cancelled. From a task on another loop it takes effect a
  // little later.
  void cancel();

  // What the tasks threw, the first one first; at most 16 are kept. Being cancelled is not an error.
  [[nodiscard]] std::span<const std::exception_ptr> errors() const;

  // Tasks that have not ended, as far as it is known on this loop.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Members;
  void start(detail::TaskRef task);
  void start_on(int loop, detail::TaskRef task);
  std::unique_ptr<Members> members_;
};

}  // namespace hawser
