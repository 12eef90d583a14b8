// What a Task refers to: the body before it runs, how it ended afterwards, and who waits for that. Not for use by
// itself; see task.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/fiber/end_callback.h>
#include <hawser/fiber/end_listener.h>
#include <hawser/fiber/identity.h>
#include <hawser/fiber/runnable.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/state_ref.h>
#include <hawser/fiber/wait_graph.h>

namespace hawser {

class Waiter;

namespace detail {

class Fiber;
class Loop;
class TaskState;

// Told on the task's own loop when it has ended.
class TaskObserver {
 public:
  virtual void task_ended(TaskState& task) noexcept = 0;

 protected:
  ~TaskObserver() = default;
};

using TaskLink = EndCallback<TaskState>;  // a callback of Task::link()

class TaskState : public Runnable {
 public:
  TaskState(const TaskState&) = delete;
  TaskState& operator=(const TaskState&) = delete;

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  [[nodiscard]] bool done() const noexcept { return status_.load(std::memory_order_acquire) >= kValue; }
  [[nodiscard]] bool cancelled() const noexcept { return status_.load(std::memory_order_acquire) == kCancelled; }
  // Null unless it is done and failed. Only valid to ask once done().
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }
  void mark_error_seen() noexcept { error_seen_.store(true, std::memory_order_relaxed); }
  void rethrow() {
    if (!error_) return;
    mark_error_seen();
    std::rethrow_exception(error_);
  }

  // False when the expiry came first. Throws DeadlineExceeded, Cancelled; std::logic_error from the task itself.
  bool join(Expiry expiry);
  void kill() noexcept;
  // True inside the task itself.
  [[nodiscard]] bool is_current() const noexcept;
  // False, and it is not listed, when the task has ended already.
  bool listen(EndListener& listener) noexcept;
  // False when it has been told.
  bool stop_listening(EndListener& listener) noexcept;
  // Calls it when the task has ended, or here and now when it has. What it throws is logged.
  void link(std::unique_ptr<TaskLink> link) noexcept;

  [[nodiscard]] Identity identity() noexcept;
  // Its end, as what somebody waits for.
  [[nodiscard]] Wanted as_wanted(Wanted::Kind kind = Wanted::Kind::task) noexcept;

  static constexpr std::size_t kNameBytes = 32;  // with the zero at the end
  // Longer names are cut at 31 bytes.
  void set_name(std::string_view name) noexcept;
  [[nodiscard]] std::string name() const;
  // For the task's own thread in a signal handler, which can't wait for somebody who is changing it.
  [[nodiscard]] const char* raw_name() const noexcept { return name_; }

  // On the loop's thread, in the fiber that was given to the task: runs the body, unless the task was cancelled before.
  void execute() noexcept;
  // On the loop's thread: ends the task without a fiber. False when links wait for it: they need one to be called in.
  [[nodiscard]] bool end_unrun() noexcept;
  // On the loop's thread: kill() once it has arrived there.
  void cancel_here() noexcept;

  Loop* loop = nullptr;                 // set when it is started; never changes
  Fiber* fiber = nullptr;               // while the body runs; the loop's thread only
  TaskObserver* observer = nullptr;     // the loop's thread only
  bool cancel_requested = false;        // the loop's thread only
  std::atomic<bool> introduced{false};  // reports of deadlocks know its name
  TaskState* group_next = nullptr;      // the observer's list
  TaskState* group_previous = nullptr;

 protected:
  TaskState() noexcept : Runnable(Kind::task) {}
  virtual ~TaskState();
  // Runs the body, stores its result, and destroys the body (also when it throws).
  virtual void invoke() = 0;
  virtual void drop_body() noexcept = 0;

 private:
  friend struct DebugLayout;
  enum Status : std::uint32_t { kPending, kValue, kFailed, kCancelled };
  enum class Here : std::uint8_t { call_links, no_fiber };

  void destroy() noexcept;
  void cancel_unrun() noexcept;
  // False, and nothing has changed, when there are links and no fiber to call them in.
  bool end(Status status, Here here) noexcept;
  void call(TaskLink& link) noexcept;

  std::atomic<std::uint32_t> refs_{1};
  std::atomic<std::uint32_t> status_{kPending};
  std::atomic<bool> error_seen_{false};
  std::atomic<Identity> identity_{0};
  SpinLock ends_lock_;
  EndListeners listeners_;
  EndCallbacks<TaskState> links_;
  std::exception_ptr error_;
  mutable SpinLock name_lock_;
  char name_[kNameBytes] = {};
};

using TaskRef = StateRef<TaskState>;

template <class T>
class ResultState : public TaskState {
 public:
  static_assert(!std::is_reference_v<T>, "a task's function must return a value: a reference could dangle");
  [[nodiscard]] const T& value() const noexcept { return *value_; }

 protected:
  std::optional<T> value_;
};
template <>
class ResultState<void> : public TaskState {};

template <class T, class Function, class... Args>
class BodyState final : public ResultState<T> {
 public:
  template <class F, class... A>
  explicit BodyState(F&& function, A&&... args)
      : body_(std::in_place, std::forward<F>(function), std::forward<A>(args)...) {}

 private:
  void invoke() override {
    // The body goes before anybody hears that the task has ended: what it held is free by then.
    struct Drop {
      BodyState& state;
      ~Drop() { state.body_.reset(); }
    } drop{*this};
    auto call = [this] {
      return std::apply([](Function& f, Args&... args) { return std::invoke(std::move(f), std::move(args)...); },
                        *body_);
    };
    if constexpr (std::is_void_v<T>) {
      call();
    } else {
      this->value_.emplace(call());
    }
  }
  void drop_body() noexcept override { body_.reset(); }

  std::optional<std::tuple<Function, Args...>> body_;
};

template <class T, class F, class... Args>
TaskRef make_task(F&& function, Args&&... args) {
  return TaskRef(
      new BodyState<T, std::decay_t<F>, std::decay_t<Args>...>(std::forward<F>(function), std::forward<Args>(args)...));
}

// Makes the task ready to run on the current loop, or on loop number `loop` of this run().
TaskRef start_task(TaskRef task);
TaskRef start_task_on(int loop, TaskRef task);

[[noreturn]] void throw_join_timeout();

}  // namespace detail
}  // namespace hawser
