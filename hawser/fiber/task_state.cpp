#include <hawser/fiber/task_state.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
TaskState::~TaskState() = default;

void TaskState::destroy() noexcept {
  if (error_ && !error_seen_.load(std::memory_order_relaxed) && !cancelled()) {
    try {
      log_line(LogLevel::error, "task '" + std::string(name_) + "' failed and nobody asked: " + describe(error_));
    } catch (...) {
      log_line(LogLevel::error, "a task failed and nobody asked");
    }
  }
  delete this;
}

void TaskState::set_name(std::string_view name) noexcept {
  const std::size_t kept = std::min(name.size(), sizeof name_ - 1);
  std::copy_n(name.data(), kept, name_);
  name_[kept] = '\0';
}

void TaskState::execute() noexcept {
  Status status = kValue;
  try {
    invoke();
  } catch (const Cancelled&) {
    error_ = std::current_exception();
    // A Cancelled that was somebody else's, rethrown by get(), is a failure like any other.
    status = cancel_requested ? kCancelled : kFailed;
  } catch (...) {
    error_ = std::current_exception();
    status = kFailed;
  }
  end(status);
}

void TaskState::end_unrun() noexcept {
  drop_body();
  error_ = std::make_exception_ptr(Cancelled("task '" + std::string(name_) + "' was cancelled before it started"));
  end(kCancelled);
}

void TaskState::end(Status status) noexcept {
  {
    std::lock_guard hold(joiners_lock_);
    status_.store(status, std::memory_order_release);
    for (Joiner* joiner = joiners_; joiner;) {
      Joiner* next = joiner->next;  // the joiner is gone once its waiter has been told
      joiner->waiter->unpark();
      joiner = next;
    }
    joiners_ = nullptr;
  }
  if (observer) observer->task_ended(*this);
}

bool TaskState::join(Expiry expiry) {
  if (done()) return true;
  if (Fiber* self = Context::current_fiber(); self && self->task == this) {
    throw std::logic_error("a task can't join itself");
  }
  Waiter waiter("join");
  Joiner joiner{&waiter, nullptr, nullptr};
  {
    std::lock_guard hold(joiners_lock_);
    if (done()) return true;
    joiner.next = joiners_;
    if (joiners_) joiners_->previous = &joiner;
    joiners_ = &joiner;
  }
  const Wake why = waiter.park(expiry);
  if (why == Wake::ready) return true;
  {
    std::lock_guard hold(joiners_lock_);
    if (done()) return true;
    (joiner.previous ? joiner.previous->next : joiners_) = joiner.next;
    if (joiner.next) joiner.next->previous = joiner.previous;
  }
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "join");
  return false;
}

void TaskState::cancel_here() noexcept {
  if (done()) return;
  cancel_requested = true;
  if (!fiber) return;
  fiber->cancel_requested = true;
  if (fiber->waiter && fiber->interruptible) fiber->waiter->interrupt(Wake::cancelled);
}

void TaskState::kill() noexcept {
  if (done()) return;
  if (Loop::current() == loop) return cancel_here();
  struct Kill : Message {
    TaskRef task;
  };
  auto* kill = new Kill();
  add_ref();
  kill->task = TaskRef(this);
  kill->deliver = [](Message& message, Loop&) noexcept {
    auto* arrived = static_cast<Kill*>(&message);
    arrived->task->cancel_here();
    delete arrived;
  };
  loop->post(*kill);
}

TaskRef start_task(TaskRef task) {
  Loop* loop = Loop::current();
  if (!loop) throw std::logic_error("spawn: outside run()");
  task->loop = loop;
  loop->start(task);
  return task;
}

TaskRef start_task_on(int index, TaskRef task) {
  Loop* here = Loop::current();
  if (!here) throw std::logic_error("spawn_on: outside run()");
  Runtime& runtime = *here->runtime();
  if (index < 0 || index >= runtime.size()) {
    throw std::out_of_range("spawn_on: no loop " + std::to_string(index) + " among " + std::to_string(runtime.size()));
  }
  Loop& there = runtime.loop(index);
  if (&there == here) return start_task(std::move(task));
  struct Start : Message {
    TaskRef task;
  };
  auto start = std::make_unique<Start>();
  task->loop = &there;
  start->task = task;
  start->deliver = [](Message& message, Loop& loop) noexcept {
    std::unique_ptr<Start> arrived(static_cast<Start*>(&message));
    loop.start(std::move(arrived->task));
  };
  there.post(*start.release());
  return task;
}

void throw_join_timeout() { throw TimedOut("get: timed out"); }

}  // namespace hawser::detail
