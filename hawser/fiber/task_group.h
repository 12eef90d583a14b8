// TaskGroup: fibers that never outlive a scope.
//
//   TaskGroup group;
//   for (auto& url : urls) group.spawn([&] { save(fetch(url)); });
//   group.join();                          // rethrows the first error
//
// The first error cancels the other tasks. Leaving the scope waits for all of them, cancelling them first when it is
// left by an exception or without join(). An error that join() did not rethrow is logged, never lost. A group belongs
// to the fiber that made it; its tasks run on the same loop and may spawn into it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include <hawser/fiber/task.h>

namespace hawser {

class TaskGroup {
 public:
  TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // Throws std::logic_error after the group was joined or cancelled by an error.
  template <class F, class... Args>
  void spawn(F&& function, Args&&... args) {
    start(detail::make_task<void>(
        [body = std::bind_front(std::forward<F>(function), std::forward<Args>(args)...)]() mutable {
          static_cast<void>(body());
        }));
  }

  // Waits for all, then rethrows the first error. When the wait itself ends early (Deadline, cancellation), the tasks
  // are cancelled and waited for first.
  void join();

  // Asks all tasks to stop; join() then does not rethrow their Cancelled.
  void cancel() noexcept;

  // Tasks that have not ended.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct Members;
  void start(detail::TaskRef task);
  std::unique_ptr<Members> members_;
};

}  // namespace hawser
