#include <hawser/fiber/task_group.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

constexpr std::size_t kErrorsKept = 16;

}  // namespace

struct TaskGroup::Members final : detail::TaskObserver {
  void add(detail::TaskState& task) {
    task.observer = this;
    task.group_next = first;
    if (first) first->group_previous = &task;
    first = &task;
    ++count;
  }

  void task_ended(detail::TaskState& task) noexcept override {
    (task.group_previous ? task.group_previous->group_next : first) = task.group_next;
    if (task.group_next) task.group_next->group_previous = task.group_previous;
    --count;
    if (task.error() && !task.cancelled()) {
      task.mark_error_seen();
      if (errors.size() < kErrorsKept) errors.push_back(task.error());  // room was reserved
      cancel_all();
    }
    if (count == 0 && joiner) joiner->unpark();
  }

  void cancel_all() noexcept {
    cancelled = true;
    for (detail::TaskState* task = first; task; task = task->group_next) task->cancel_here();
  }

  void wait_for_all() noexcept {
    while (count) {
      Waiter waiter("TaskGroup");
      joiner = &waiter;
      waiter.park_uninterrupted();
      joiner = nullptr;
    }
  }

  detail::TaskState* first = nullptr;
  std::size_t count = 0;
  bool cancelled = false;
  Waiter* joiner = nullptr;
  std::vector<std::exception_ptr> errors;
  bool rethrown = false;
};

TaskGroup::TaskGroup() : members_(std::make_unique<Members>()) {
  if (!detail::Context::current_fiber()) throw std::logic_error("TaskGroup: not inside a fiber");
  members_->errors.reserve(kErrorsKept);
}

TaskGroup::~TaskGroup() {
  if (members_->count) {
    members_->cancel_all();
    members_->wait_for_all();
  }
  if (members_->rethrown) return;
  for (const std::exception_ptr& error : members_->errors) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log_line(LogLevel::error, std::string("a task of a group failed and nobody joined it: ") + e.what());
    } catch (...) {
      log_line(LogLevel::error, "a task of a group failed and nobody joined it");
    }
  }
}

void TaskGroup::start(detail::TaskRef task) {
  detail::TaskRef started = detail::start_task(std::move(task));
  members_->add(*started);
  if (members_->cancelled) started->cancel_here();
}

void TaskGroup::join() {
  Wake why = Wake::ready;
  while (members_->count && why == Wake::ready) {
    Waiter waiter("TaskGroup::join");
    members_->joiner = &waiter;
    why = waiter.park();
    members_->joiner = nullptr;
  }
  if (why != Wake::ready) {
    members_->cancel_all();
    members_->wait_for_all();
  }
  if (!members_->errors.empty()) {
    members_->rethrown = true;
    std::rethrow_exception(members_->errors.front());
  }
  throw_unless_ready(why, "TaskGroup::join");
}

void TaskGroup::cancel() noexcept { members_->cancel_all(); }

std::span<const std::exception_ptr> TaskGroup::errors() const noexcept { return members_->errors; }

std::size_t TaskGroup::size() const noexcept { return members_->count; }

}  // namespace hawser
