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
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_state.h>

namespace hawser {

namespace detail {

// The ends of several tasks as a queue of their indexes.
class Completions {
 public:
  explicit Completions(std::vector<TaskRef> tasks);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  ~Completions();

  // The next one that has ended; nothing when the expiry came first. Precondition: left() != 0.
  std::optional<std::size_t> next(Expiry expiry);
  // Those that next() has not given yet.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }

 private:
  struct Entry : EndListener {
    Completions* owner = nullptr;
    TaskRef task;
    Entry* after = nullptr;  // ended after this one
  };
  void has_ended(Entry& entry) noexcept;
  Entry* pop() noexcept;

  std::vector<Entry> entries_;  // never grows: their addresses are in the tasks
  std::size_t left_;
  SpinLock lock_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  Waiter* waiting_ = nullptr;
};

template <TaskRange Tasks>
std::vector<TaskRef> states_of(const Tasks& tasks) {
  std::vector<TaskRef> states;
  for (const AnyTask& task : tasks) states.push_back(state_of(task));
  return states;
}

[[noreturn]] void throw_unfinished(std::size_t left, std::size_t all);

}  // namespace detail

// What as_completed() returns: a range to go through once.
template <class Handle>
class CompletedTasks {
 public:
  CompletedTasks(std::vector<Handle> tasks, Expiry expiry)
      : tasks_(std::move(tasks)),
        expiry_(expiry),
        ends_(std::make_unique<detail::Completions>(detail::states_of(tasks_))) {}

  class iterator {
   public:
    using value_type = Handle;
    using difference_type = std::ptrdiff_t;
    const Handle& operator*() const noexcept { return of_->tasks_[at_]; }
    iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    bool operator==(std::default_sentinel_t) const noexcept { return of_ == nullptr; }
    // Where the task is among those given.
    [[nodiscard]] std::size_t index() const noexcept { return at_; }

   private:
    friend class CompletedTasks;
    explicit iterator(CompletedTasks& of) : of_(&of) { step(); }
    void step() {
      if (of_->ends_->left() == 0) {
        of_ = nullptr;
      } else if (const auto next = of_->ends_->next(of_->expiry_)) {
        at_ = *next;
      } else {
        detail::throw_unfinished(of_->ends_->left(), of_->tasks_.size());
      }
    }
    CompletedTasks* of_;
    std::size_t at_ = 0;
  };

  // Waits for the first end, as ++ waits for the next. Throws TimedOut when the timeout comes before the last end.
  iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::vector<Handle> tasks_;
  Expiry expiry_;
  std::unique_ptr<detail::Completions> ends_;
};

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
  detail::Completions ends(detail::states_of(tasks));
  return ends.left() ? ends.next(expiry) : std::nullopt;
}
// The same without a timeout, for tasks of different types.
template <class... T>
requires(sizeof...(T) > 0) [[nodiscard]] std::size_t wait_any(const Task<T>&... tasks) {
  detail::Completions ends({detail::state_of(tasks)...});
  return *ends.next(Expiry::never());
}

}  // namespace hawser
