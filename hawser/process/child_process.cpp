#include <hawser/process/child_process.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/start_thread.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
namespace {

// What a child that somebody else has reaped is said to have returned.
constexpr int kUnknown = 255;

// True when the descriptor was readable within the time (-1: for ever). For plain threads.
bool readable(int fd, int milliseconds) noexcept {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return sleeping::poll(&one, 1, milliseconds) > 0;
}

}  // namespace

ChildProcess::ChildProcess(pid_t pid, UniqueFd pidfd, std::string name) noexcept
    : pid_(pid), pidfd_(std::move(pidfd)), name_(std::move(name)) {}

std::optional<int> ChildProcess::poll() noexcept {
  const std::lock_guard hold(reaping_);
  if (exit_code_) return exit_code_;
  siginfo_t info{};
  int result = -1;
  do {
    result = sys::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    if (errno == ECHILD) exit_code_ = kUnknown;
  } else if (info.si_pid != 0) {
    exit_code_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  }
  return exit_code_;
}

// Each wait has a descriptor of its own, so that any number may wait at once, in a forked child's copy of this as well.
bool ChildProcess::wait(Expiry expiry) {
  if (poll()) return true;
  if (expiry.passed()) return false;
  Pollable ended(duplicate(pidfd_.get()));
  Pollable::Use use(ended, Direction::read, "join", name_);
  while (!poll()) {
    use.drained();
    const Wake why = use.wait(expiry);
    if (why == Wake::expired) return poll().has_value();
    throw_unless_ready(why, "join " + name_);
  }
  return true;
}

// A fiber waits for a thread that waits: neither deadlines nor cancellation reach that.
void ChildProcess::wait_to_the_end() noexcept {
  if (poll()) return;
  if (in_fiber()) {
    Waiter ended("child's end");
    try {
      std::thread aside = start_thread("that waits for a child", [this, &ended] {
        readable(pidfd_.get(), -1);
        ended.unpark();
      });
      ended.park_uninterrupted();
      aside.join();
    } catch (const std::exception&) {
      // No thread to be had: then the loop stands still.
    }
  }
  while (!poll()) readable(pidfd_.get(), -1);
}

void ChildProcess::stop(Duration grace) noexcept {
  try {
    send_signal(SIGTERM);
    if (!in_fiber()) {
      const auto until = Expiry::in(grace);
      while (!poll() && !until.passed()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until.left());
        readable(pidfd_.get(), static_cast<int>(left.count()));
      }
    } else {
      static_cast<void>(wait(Expiry::in(grace)));
    }
  } catch (const std::exception&) {
    // A deadline or a cancellation of the caller's: no more patience.
  }
  try {
    send_signal(SIGKILL);
  } catch (const SystemError&) {
    // It runs as somebody else now and we may not end it; then we wait.
  }
  wait_to_the_end();
}

void ChildProcess::send_signal(int signal) {
  if (poll()) return;
  if (sys::pidfd_send_signal(pidfd_.get(), signal) != 0 && errno != ESRCH) {
    throw_errno("signal", name_);
  }
}

std::string words_for_end(int exit_code) {
  if (exit_code >= 0) return "exited with status " + std::to_string(exit_code);
  const char* const name = ::sigabbrev_np(-exit_code);
  return "was killed by " + (name ? "SIG" + std::string(name) : "signal " + std::to_string(-exit_code));
}

}  // namespace hawser::detail
