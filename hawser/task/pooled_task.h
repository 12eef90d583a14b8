// PooledTask: a function with its arguments, the work of a WorkerPool, and the state of the Future that comes of it, in
// one piece of memory. Internal.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/fiber/run.h>
#include <hawser/task/future.h>
#include <hawser/task/worker_pool.h>

namespace hawser::detail {

template <class T, class Function, class... Args>
class PooledTask final : public ValueState<T>, public PoolWork {
 public:
  // One reference is the pool's, the other the future's.
  template <class F, class... A>
  explicit PooledTask(const WorkerPool& pool, F&& function, A&&... args)
      : ValueState<T>(2), pool_(&pool), body_(std::in_place, std::forward<F>(function), std::forward<A>(args)...) {}

  void do_work() noexcept override {
    if (this->begin()) {
      invoke();
    } else if (this->cancelled()) {
      body_.reset();
    }
    this->drop_ref();
  }
  void cancel_work() noexcept override {
    if (this->cancel()) body_.reset();
    this->drop_ref();
  }
  void fail_work(std::exception_ptr error) noexcept override {
    if (this->begin()) {
      body_.reset();
      this->fail(std::move(error));
    }
    this->drop_ref();
  }
  // A worker that waits for its own pool does what it waits for. On a fiber it would have to share the caller's
  // cancellation, and another fiber costs nothing.
  bool do_here() noexcept override {
    if (in_fiber() || WorkerHost::of_caller() != pool_ || !this->begin()) return false;
    invoke();
    return true;
  }

 private:
  void invoke() noexcept {
    fulfil(*this, [this]() -> T {
      // The body goes before anybody hears that the work has ended: what it held is free by then.
      struct Drop {
        PooledTask& task;
        ~Drop() { task.body_.reset(); }
      } drop{*this};
      return std::apply([](Function& f, Args&... args) -> T { return std::invoke(std::move(f), std::move(args)...); },
                        *body_);
    });
  }

  const WorkerHost* const pool_;  // to compare with only: the future may outlive the pool
  std::optional<std::tuple<Function, Args...>> body_;
};

template <class F, class... Args>
using TaskResult = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;

// Makes the work, hands it to the pool, and gives its future. Throws as WorkerPool::submit() does.
template <class F, class... Args>
Future<TaskResult<F, Args...>> submit_to(WorkerPool& pool, F&& function, Args&&... args) {
  using T = TaskResult<F, Args...>;
  using Work = PooledTask<T, std::decay_t<F>, std::decay_t<Args>...>;
  auto* const work = new Work(pool, std::forward<F>(function), std::forward<Args>(args)...);
  StateRef<ValueState<T>> state(work);
  try {
    pool.submit(*work);
  } catch (...) {
    work->drop_ref();
    throw;
  }
  return Future<T>(std::move(state));
}

}  // namespace hawser::detail
