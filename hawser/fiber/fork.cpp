#include <hawser/fiber/fork.h>

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/task_state.h>

namespace hawser {
namespace {

// Not all streams: another thread may wait for input with one of them locked.
void flush_output() noexcept {
  std::fflush(stdout);
  std::fflush(stderr);
}

}  // namespace

pid_t fork_process() {
  flush_output();
  const pid_t child = detail::sys::fork();
  if (child < 0) throw_errno("fork", "");
  return child;
}

void detail::end_forked_child(const TaskState& task) noexcept {
  if (task.error()) {
    try {
      log_line(LogLevel::error, "forked child: " + describe(task.error()));
    } catch (const std::exception&) {
      log_line(LogLevel::error, "a forked child failed");
    }
  }
  flush_output();
  ::_exit(task.error() ? 1 : 0);
}

}  // namespace hawser
