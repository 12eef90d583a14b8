// The children that Process objects have started and that have not been seen to end. Internal.
#pragma once

#include <memory>

#include <hawser/base/clock.h>
#include <hawser/process/child_process.h>
#include <hawser/process/current_process.h>

namespace hawser::detail {

// How long a daemon has between SIGTERM and SIGKILL.
constexpr Duration kDaemonGrace = std::chrono::seconds(1);

struct Child {
  Child(pid_t pid, UniqueFd pidfd, const std::string& name, bool is_daemon, pid_t by)
      : process(pid, std::move(pidfd), name), daemon(is_daemon), parent(by) {}
  ChildProcess process;
  const bool daemon;
  const pid_t parent;  // the process that may wait for it
};

// From now on it is ended (daemon) or waited for when this process ends by exit(3) or by returning from main.
void add_child(std::shared_ptr<Child> child);
void remove_child(const Child& child) noexcept;
// What exit(3) does for them: terminates the daemons, waits for the others.
void end_children() noexcept;

}  // namespace hawser::detail
