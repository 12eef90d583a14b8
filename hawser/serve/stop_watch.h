// StopWatch: does something once when a stop is requested, beside a context that may be blocked: in a fiber of the same
// loop, or, when a plain thread serves, on a thread of its own. Internal.
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include <hawser/base/fd.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/stop_signal.h>

namespace hawser::detail {

class StopWatch {
 public:
  // on_stop must not throw. Throws SystemError.
  StopWatch(StopSignal& stop, std::function<void()> on_stop);
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  // Waits for on_stop when it has begun, and prevents it otherwise.
  ~StopWatch();

 private:
  void watch_on_thread(const std::function<void()>& on_stop) noexcept;

  StopSignal& stop_;
  UniqueFd end_;  // an eventfd
  std::thread thread_;
  std::optional<TaskGroup> fibers_;
};

}  // namespace hawser::detail
