#include <hawser/fiber/as_completed.h>

#include <stdexcept>
#include <utility>

namespace hawser::detail {

TaskEnds::TaskEnds(std::vector<TaskRef> tasks)
    : CompletionQueue(tasks.size(), "as_completed", "tasks"), tasks_(std::move(tasks)) {
  for (const TaskRef& task : tasks_)
    if (task->is_current()) throw std::logic_error("a task can't wait for itself");
  listen_to(tasks_);
}

TaskEnds::~TaskEnds() { stop_listening_to(tasks_); }

}  // namespace hawser::detail
