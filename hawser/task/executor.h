// What all executors (ThreadPool, FiberPool, ProcessPool) have in common: how they are shut down and what they throw.
#pragma once

#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string>

#include <hawser/task/future.h>

namespace hawser {

struct ShutdownOptions {
  // Wait until the last worker has gone.
  bool wait = true;
  // Cancel what has not begun; otherwise it is still done.
  bool cancel_pending = false;
};

// submit() after shutdown().
class ExecutorShutDown : public std::logic_error {
 public:
  explicit ExecutorShutDown(const std::string& name) : std::logic_error("submit: '" + name + "' is shut down") {}
};

// The executor can't do any work any more: what it had not begun fails with this, and so does submit().
class BrokenExecutor : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An executor's initializer has thrown.
class BrokenThreadPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

// submit(function, arguments…) gives a Future of what the function returns; size() is how much it does at a time.
template <class E>
concept Executor = requires(E& executor, int (*function)(int)) {
  { executor.submit(function, 1) } -> std::same_as<Future<int>>;
  { executor.size() } -> std::convertible_to<std::size_t>;
  executor.shutdown(ShutdownOptions{});
};

}  // namespace hawser
