#include <hawser/fiber/task_group.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/inbox.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

constexpr std::size_t kErrorsKept = 16;

}  // namespace

// The list and the counts belong to the group's loop. A task on another loop reports its end by a message, which is
// made with the task; the group is there until that has arrived.
struct TaskGroup::Members final : detail::TaskObserver {
  struct EndElsewhere final : detail::TaskObserver, detail::Message {
    EndElsewhere(Members& m, detail::TaskRef t) : members(m), task(std::move(t)) {
      deliver = [](detail::Message& message, detail::Loop&) noexcept {
        const std::unique_ptr<EndElsewhere> arrived(static_cast<EndElsewhere*>(&message));
        arrived->members.task_ended(*arrived->task);
      };
    }
    void task_ended(detail::TaskState&) noexcept override { members.home.post(*this); }
    Members& members;
    const detail::TaskRef task;
  };

  struct CancelFromElsewhere final : detail::Message {
    explicit CancelFromElsewhere(Members& m) : members(m) {
      deliver = [](detail::Message& message, detail::Loop&) noexcept {
        const std::unique_ptr<CancelFromElsewhere> arrived(static_cast<CancelFromElsewhere*>(&message));
        arrived->members.cancel_all();
      };
    }
    Members& members;
  };

  explicit Members(detail::Loop& loop) : home(loop) {}

  [[nodiscard]] bool at_home() const noexcept { return detail::Loop::current() == &home; }
  void need_home(const char* operation) const {
    if (!at_home()) throw std::logic_error(std::string("TaskGroup: ") + operation + " on another loop than its own");
  }

  void add(detail::TaskState& task) noexcept {
    task.group_previous = nullptr;
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
    for (detail::TaskState* task = first; task; task = task->group_next) task->kill();
  }

  void wait_for_all() noexcept {
    while (count) {
      Waiter waiter("TaskGroup");
      joiner = &waiter;
      waiter.park_uninterrupted();
      joiner = nullptr;
    }
  }

  detail::Loop& home;
  detail::TaskState* first = nullptr;
  std::size_t count = 0;
  bool cancelled = false;
  Waiter* joiner = nullptr;
  std::vector<std::exception_ptr> errors;
  bool rethrown = false;
};

TaskGroup::TaskGroup() {
  const detail::Fiber* fiber = detail::Context::current_fiber();
  if (!fiber) throw std::logic_error("TaskGroup: not inside a fiber");
  members_ = std::make_unique<Members>(fiber->loop);
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
  members_->need_home("spawn");
  task->observer = members_.get();
  task->cancel_requested = members_->cancelled;
  const detail::TaskRef started = detail::start_task(std::move(task));
  members_->add(*started);
}

void TaskGroup::start_on(int loop, detail::TaskRef task) {
  members_->need_home("spawn_on");
  if (loop == members_->home.index()) return start(std::move(task));
  auto end = std::make_unique<Members::EndElsewhere>(*members_, task);
  task->observer = end.get();
  task->cancel_requested = members_->cancelled;  // before it is there: it might begin at once
  const detail::TaskRef started = detail::start_task_on(loop, std::move(task));
  static_cast<void>(end.release());  // its own message from here on
  members_->add(*started);
}

void TaskGroup::join() {
  members_->need_home("join");
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

void TaskGroup::cancel() {
  if (members_->at_home()) return members_->cancel_all();
  if (!detail::Loop::current()) throw std::logic_error("TaskGroup: cancel outside run()");
  members_->home.post(*std::make_unique<Members::CancelFromElsewhere>(*members_).release());
}

std::span<const std::exception_ptr> TaskGroup::errors() const {
  members_->need_home("errors");
  return members_->errors;
}

std::size_t TaskGroup::size() const {
  members_->need_home("size");
  return members_->count;
}

}  // namespace hawser
