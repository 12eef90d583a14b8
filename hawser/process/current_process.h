// What a process knows of itself, as in Python's multiprocessing: current_process(), cpu_count().
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace hawser {

struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent_pid = 0;  // of the process that started it
  std::string name;
  bool daemon = false;
};

// This process. One that no Process or ProcessPool has started is called "main".
[[nodiscard]] ProcessInfo current_process();

// The children that Process objects of this process have started and that still run. Reaps those that have ended.
[[nodiscard]] std::vector<ProcessInfo> active_children();

// How many processors this process may use; at least 1. See sched_getaffinity(2).
[[nodiscard]] std::size_t cpu_count() noexcept;

namespace detail {
void set_current_process(const std::string& name, bool daemon, pid_t parent) noexcept;
}

}  // namespace hawser
