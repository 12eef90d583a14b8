// ChildProcess: a child of this process: its end, and signals to it, through a pidfd. Internal.
//
// All calls may come from any thread or fiber of the process that made it, and no other. Sources: pidfd_open(2),
// waitid(2), pidfd_send_signal(2).
#pragma once

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>

namespace hawser::detail {

class ChildProcess {
 public:
  // Takes the pidfd.
  ChildProcess(pid_t pid, UniqueFd pidfd, std::string name) noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Readable once the child has ended.
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // The exit status, or -N for signal N; nothing while it runs. Reaps it.
  std::optional<int> poll() noexcept;
  // False when the expiry came first. Throws DeadlineExceeded, Cancelled, SystemError.
  bool wait(Expiry expiry);
  // Whatever happens to the caller.
  void wait_to_the_end() noexcept;
  // SIGTERM, and SIGKILL after the grace; waits for the end.
  void stop(Duration grace) noexcept;
  // Harmless when it has ended. Throws SystemError.
  void send_signal(int signal);

 private:
  const pid_t pid_;
  const UniqueFd pidfd_;
  const std::string name_;
  std::mutex reaping_;  // guards what follows
  std::optional<int> exit_code_;
};

// "killed by SIGKILL", "exited with status 3".
[[nodiscard]] std::string words_for_end(int exit_code);

}  // namespace hawser::detail
