#include <hawser/fiber/task_state.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/base/shared_exception.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/wait_graph.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
TaskState::~TaskState() { about_to_let_go(error_); }

void TaskState::destroy() noexcept {
  if (error_ && !error_seen_.load(std::memory_order_relaxed) && !cancelled()) {
    try {
      log_line(LogLevel::error, "task '" + std::string(name_) + "' failed and nobody asked: " + describe(error_));
    } catch (...) {
      log_line(LogLevel::error, "a task failed and nobody asked");
    }
  }
  if (introduced.load(std::memory_order_relaxed)) forget_holder(identity());
  delete this;
}

Identity TaskState::identity() noexcept {
  Identity known = identity_.load(std::memory_order_relaxed);
  if (known != 0) return known;
  const Identity fresh = fresh_identity();
  return identity_.compare_exchange_strong(known, fresh, std::memory_order_relaxed) ? fresh : known;
}

void TaskState::set_name(std::string_view name) noexcept {
  const std::size_t kept = std::min(name.size(), sizeof name_ - 1);
  {
    const std::lock_guard hold(name_lock_);
    std::copy_n(name.data(), kept, name_);
    name_[kept] = '\0';
  }
  if (introduced.load(std::memory_order_relaxed)) rename_holder(identity(), name.substr(0, kept));
}

std::string TaskState::name() const {
  const std::lock_guard hold(name_lock_);
  return name_;
}

void TaskState::execute() noexcept {
  Status status = kValue;
  if (cancel_requested) {
    cancel_unrun();
    status = kCancelled;
  } else {
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
  }
  if (fiber->locals) fiber->destroy_locals();
  end(status, Here::call_links);
  if (fiber->locals) fiber->destroy_locals();  // of what was linked
}

void TaskState::cancel_unrun() noexcept {
  drop_body();
  error_ = std::make_exception_ptr(Cancelled("task '" + std::string(name_) + "' was cancelled before it started"));
}

bool TaskState::end_unrun() noexcept {
  cancel_unrun();
  return end(kCancelled, Here::no_fiber);
}

bool TaskState::end(Status status, Here here) noexcept {
  EndCallbacks<TaskState> links;
  {
    std::lock_guard hold(ends_lock_);
    if (!links_.empty() && here == Here::no_fiber) return false;
    status_.store(status, std::memory_order_release);
    listeners_.tell_all();
    links = std::move(links_);
  }
  if (!links.empty()) {
    const Shield kill_was_meant_for_the_body;
    links.drain([this](TaskLink& link) { call(link); });
  }
  if (observer) observer->task_ended(*this);
  return true;
}

void TaskState::call(TaskLink& link) noexcept {
  try {
    link.call(*this);
  } catch (...) {
    log_line(LogLevel::error, "a callback of task '" + name() + "' threw: " + describe(std::current_exception()));
  }
}

void TaskState::link(std::unique_ptr<TaskLink> link) noexcept {
  {
    std::lock_guard hold(ends_lock_);
    if (!done()) {
      links_.add(std::move(link));
      return;
    }
  }
  call(*link);
}

Wanted TaskState::as_wanted(Wanted::Kind kind) noexcept {
  introduce_task(*this);
  return {kind, nullptr, this, identity_};
}

bool TaskState::is_current() const noexcept {
  const Fiber* self = Context::current_fiber();
  return self && self->task == this;
}

bool TaskState::listen(EndListener& listener) noexcept {
  std::lock_guard hold(ends_lock_);
  if (done()) return false;
  listeners_.add(listener);
  return true;
}

bool TaskState::stop_listening(EndListener& listener) noexcept {
  std::lock_guard hold(ends_lock_);
  if (done()) return false;
  listeners_.remove(listener);
  return true;
}

bool TaskState::join(Expiry expiry) {
  if (done()) return true;
  if (is_current()) throw std::logic_error("a task can't join itself");
  struct Joiner : EndListener {
    Waiter waiter{"join"};
  } joiner;
  joiner.ended = [](EndListener& self) noexcept { static_cast<Joiner&>(self).waiter.unpark(); };
  std::optional<TrackedWait> tracked;
  if (waits_are_tracked() && !expiry.passed()) {
    tracked.emplace(as_wanted(), !expiry.is_never(), TrackedWait::Raise::allowed);
  }
  if (!listen(joiner)) return true;
  const Wake why = joiner.waiter.park(expiry);
  if (why == Wake::ready || !stop_listening(joiner)) return true;
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
