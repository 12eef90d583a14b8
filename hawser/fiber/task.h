// spawn and Task: run a function on a fiber of its own and get what it returns or throws.
//
//   Task<int> a = spawn(fetch, "one"), b = spawn(fetch, "two");
//   join_all(a, b);
//   int sum = a.get() + b.get();
//
// For the first of several to end, and for iteration in the order of their ends, see as_completed.h.
//
// spawn() does not run the body before the spawner yields; the order is first in, first out. A Task is a handle: copies
// are the same task, and dropping every handle leaves the fiber running. A task ends as value, error or cancelled. An
// error that nobody asked for is logged once when the last handle goes.
//
// spawn() must be called inside run(). Every other call may come from any thread or fiber.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/task_state.h>

namespace hawser {

class AnyTask;

namespace detail {
const TaskRef& state_of(const AnyTask& task) noexcept;
}

// What all tasks share, whatever they return.
class AnyTask {
 public:
  AnyTask() = default;
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
  // True when the task has ended, in any way.
  [[nodiscard]] bool ready() const noexcept { return state().done(); }
  // Ended with a value.
  [[nodiscard]] bool successful() const noexcept { return ready() && !state().error(); }
  // Ended because it was cancelled.
  [[nodiscard]] bool cancelled() const noexcept { return ready() && state().cancelled(); }
  // What it threw; null while it runs or when it returned. Asking counts as having seen the error.
  [[nodiscard]] std::exception_ptr exception() const noexcept;
  // Waits for the end. False when the timeout came first. Does not rethrow. Throws DeadlineExceeded, Cancelled;
  // std::logic_error when a task joins itself.
  bool join(Timeout timeout = std::nullopt) const;
  // Asks the task to stop at its next blocking call; when it has not started yet, its body never runs. Returns at once.
  void kill() const noexcept;
  // Kills it and waits for its end; false when the timeout came first. A task that does this to itself is left by
  // Cancelled at once. Throws DeadlineExceeded, Cancelled.
  bool kill_and_join(Timeout timeout = std::nullopt) const;
  // Calls callback(task), or callback() when it takes no argument, as soon as the task has ended: in the fiber that ran
  // it, or at once in the caller when it has ended already. Several are called in the order of linking, after those who
  // wait in join() have been woken; one that throws is logged and the rest are called. A kill of the task does not
  // reach into them. Linking is not asking for the error.
  template <class Callback>
  void link(Callback&& callback) const {
    link_as<AnyTask>(std::forward<Callback>(callback));
  }
  // Identifies the task in dumps. At most 31 bytes are kept.
  void set_name(std::string_view name) const noexcept { state().set_name(name); }

 protected:
  explicit AnyTask(detail::TaskRef state) noexcept : state_(std::move(state)) {}
  [[nodiscard]] detail::TaskState& state() const noexcept { return *state_; }
  template <class Handle, class Callback>
  void link_as(Callback&& callback) const {
    struct Link final : detail::TaskLink {
      explicit Link(Callback&& c) : callback(std::forward<Callback>(c)) {}
      void call(detail::TaskState& task) override {
        if constexpr (std::is_invocable_v<std::decay_t<Callback>&, const Handle&>) {
          task.add_ref();
          callback(Handle(detail::TaskRef(&task)));
        } else {
          callback();
        }
      }
      std::decay_t<Callback> callback;
    };
    state().link(std::make_unique<Link>(std::forward<Callback>(callback)));
  }
  detail::TaskRef state_;
  friend class TaskGroup;
  friend const detail::TaskRef& detail::state_of(const AnyTask& task) noexcept;
};

namespace detail {
inline const TaskRef& state_of(const AnyTask& task) noexcept { return task.state_; }

template <class R>
concept TaskRange = std::ranges::input_range<R> && std::derived_from<std::ranges::range_value_t<R>, AnyTask>;
}  // namespace detail

template <class T>
class [[nodiscard]] Task : public AnyTask {
 public:
  Task() = default;
  // Waits and returns the value (copied, for it may be asked for again) or rethrows the error, every time. Throws
  // TimedOut, DeadlineExceeded, Cancelled (also when the task itself was cancelled).
  T get(Timeout timeout = std::nullopt) const {
    if (!join(timeout)) detail::throw_join_timeout();
    state().rethrow();
    if constexpr (!std::is_void_v<T>) return static_cast<detail::ResultState<T>&>(state()).value();
  }
  // The value when there is one, nothing while it runs or when it failed.
  [[nodiscard]] auto value() const requires(!std::is_void_v<T>) {
    return successful() ? std::optional<T>(static_cast<detail::ResultState<T>&>(state()).value()) : std::nullopt;
  }
  // As AnyTask::link(); the callback gets a Task<T>.
  template <class Callback>
  void link(Callback&& callback) const {
    link_as<Task>(std::forward<Callback>(callback));
  }

 private:
  friend class AnyTask;
  explicit Task(detail::TaskRef state) noexcept : AnyTask(std::move(state)) {}
  template <class F, class... Args>
  friend auto spawn(F&& function, Args&&... args) -> Task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;
  template <class F, class... Args>
  friend auto spawn_on(int loop, F&& function, Args&&... args)
      -> Task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;
};

// Runs function(args...) on a new fiber of this loop; function and arguments are copied or moved into it.
// Throws std::logic_error outside run(), std::bad_alloc when no stack is to be had.
template <class F, class... Args>
auto spawn(F&& function, Args&&... args) -> Task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> {
  using T = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  return Task<T>(detail::start_task(detail::make_task<T>(std::forward<F>(function), std::forward<Args>(args)...)));
}

// The same on loop number `loop` of this run(). Throws std::out_of_range when there is no such loop.
template <class F, class... Args>
auto spawn_on(int loop, F&& function, Args&&... args)
    -> Task<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> {
  using T = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  return Task<T>(
      detail::start_task_on(loop, detail::make_task<T>(std::forward<F>(function), std::forward<Args>(args)...)));
}

// Waits until all have ended; errors stay in their tasks. Throws DeadlineExceeded, Cancelled.
template <detail::TaskRange Tasks>
void join_all(const Tasks& tasks) {
  for (const AnyTask& task : tasks) task.join();
}
template <class... T>
void join_all(const Task<T>&... tasks) {
  (void(tasks.join()), ...);
}
// The same, but no longer than the timeout, which is for all of them together: returns those that have ended, in the
// order of `tasks`.
template <detail::TaskRange Tasks>
std::vector<std::ranges::range_value_t<Tasks>> join_all(const Tasks& tasks, Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  for (const AnyTask& task : tasks)
    if (!detail::state_of(task)->join(expiry)) break;
  std::vector<std::ranges::range_value_t<Tasks>> ended;
  for (const auto& task : tasks)
    if (task.ready()) ended.push_back(task);
  return ended;
}

// Kills all, then waits for their ends; false when the timeout, which is for all together, came first. Throws
// DeadlineExceeded, Cancelled.
template <detail::TaskRange Tasks>
bool kill_all(const Tasks& tasks, Timeout timeout = std::nullopt) {
  const Expiry expiry = Expiry::of(timeout);
  for (const AnyTask& task : tasks) task.kill();
  bool all = true;
  for (const AnyTask& task : tasks) all = detail::state_of(task)->join(expiry) && all;
  return all;
}

}  // namespace hawser
