// Requests in forked children. One thread of the parent waits for their ends by pidfd, so it reaps no child but these,
// and neither accepting nor the program's own waitpid() and SIGCHLD come into it. Sources: pidfd_open(2), waitid(2).
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/base/bell.h>
#include <hawser/base/fd.h>
#include <hawser/base/start_thread.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/fork.h>
#include <hawser/serve/child_failed.h>
#include <hawser/serve/runner.h>

namespace hawser {
namespace {

std::string how_it_ended(pid_t pid, int return_code) {
  const std::string child = "child " + std::to_string(pid);
  if (return_code >= 0) return child + " exited with status " + std::to_string(return_code);
  const char* name = ::sigabbrev_np(-return_code);
  return child + " was killed by " + (name ? "SIG" + std::string(name) : "signal " + std::to_string(-return_code));
}

}  // namespace

ChildFailed::ChildFailed(pid_t pid, int return_code)
    : std::runtime_error(how_it_ended(pid, return_code)), pid_(pid), return_code_(return_code) {}

namespace detail {
namespace {

constexpr Duration kGrace = std::chrono::seconds(1);
constexpr Duration kWithoutPidfd = std::chrono::milliseconds(20);

class ForkRunner final : public Runner {
 public:
  explicit ForkRunner(Timeout request_deadline) : request_deadline_(request_deadline) {}
  ~ForkRunner() override {
    if (!reaper_.joinable()) return;
    {
      const std::lock_guard hold(mutex_);
      ending_ = true;
    }
    ring();
    reaper_.join();
  }

  void start(std::shared_ptr<Job> job) override {
    enter(*job);
    try {
      prepare();
      const std::lock_guard hold(mutex_);  // so that the child finds the list whole
      if (children_.size() == children_.capacity()) children_.reserve(2 * children_.size() + 8);
      const pid_t pid = fork_process();
      if (pid == 0) run_child(*job);
      job->leave_to_child();
      // The child is ours to reap, so its number stays its own. Without a pidfd (no descriptor left) it is polled.
      UniqueFd pidfd(sys::pidfd_open(pid, 0));
      const Expiry limit = request_deadline_ ? Expiry::in(*request_deadline_ + kGrace) : Expiry::never();
      children_.push_back({.pid = pid, .pidfd = std::move(pidfd), .job = std::move(job), .kill_at = limit});
    } catch (...) {
      leave(*job);
      throw;
    }
    ring();
  }

  void cut_all() noexcept override {
    const std::lock_guard hold(mutex_);
    for (Child& child : children_) kill(child);
  }

 private:
  struct Child {
    pid_t pid = -1;
    UniqueFd pidfd{};
    std::shared_ptr<Job> job{};
    Expiry kill_at{};
    bool killed = false;  // by a cut: its end is no failure
    int return_code = 0;
  };

  void prepare() {
    if (reaper_.joinable()) return;
    bell_ = make_bell();
    reaper_ = start_quiet_thread("that reaps a server's children", [this] { reap(); });
  }

  void ring() noexcept { ring_bell(bell_.get()); }

  [[noreturn]] void run_child(Job& job) noexcept {
    for (const Child& sibling : children_) ::close(sibling.pidfd.get());
    ::close(bell_.get());
    job.enter_child();
    job.run();
    std::fflush(stdout);
    ::_exit(0);
  }

  static void kill(Child& child) noexcept {
    child.killed = true;
    sys::kill(child.pid, SIGKILL);  // not reaped yet, so the number is still its own
  }

  // Waits for its end; false while it runs.
  static bool has_ended(Child& child) noexcept {
    siginfo_t info{};
    const bool by_pidfd = static_cast<bool>(child.pidfd);
    const auto id = static_cast<id_t>(by_pidfd ? child.pidfd.get() : child.pid);
    int result = 0;
    do {
      result = sys::waitid(by_pidfd ? static_cast<idtype_t>(P_PIDFD) : P_PID, id, &info, WEXITED | WNOHANG);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return errno == ECHILD;  // somebody else has waited for it, or SIGCHLD is ignored
    if (info.si_pid == 0) return false;
    child.return_code = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return true;
  }

  void reap() {
    std::vector<pollfd> watched;
    std::vector<Child> ended;
    for (;;) {
      watched.assign(1, {.fd = bell_.get(), .events = POLLIN, .revents = 0});
      Expiry next;
      {
        const std::lock_guard hold(mutex_);
        if (ending_ && children_.empty()) return;
        for (Child& child : children_) {
          if (child.kill_at.passed()) {
            sys::kill(child.pid, SIGKILL);  // its end is reported: nobody has asked for that
            child.kill_at = Expiry::never();
          }
          next = std::min(next, child.kill_at);
          if (!child.pidfd) next = std::min(next, Expiry::in(kWithoutPidfd));
          watched.push_back({.fd = child.pidfd.get(), .events = POLLIN, .revents = 0});
        }
      }
      wait(watched, next);
      {
        const std::lock_guard hold(mutex_);
        std::erase_if(children_, [&](Child& child) {
          if (!has_ended(child)) return false;
          ended.push_back(std::move(child));
          return true;
        });
      }
      for (Child& child : ended) {
        child.pidfd.reset();  // a connection that is not counted any more has no descriptor
        if (child.return_code != 0 && !child.killed) {
          child.job->child_failed(std::make_exception_ptr(ChildFailed(child.pid, child.return_code)));
        }
        leave(*child.job);
      }
      ended.clear();
    }
  }

  void wait(std::vector<pollfd>& watched, Expiry until) noexcept {
    const Timeout left = until.left();
    timespec relative{};
    if (left) {
      const auto seconds = std::chrono::floor<std::chrono::seconds>(*left);
      relative = {.tv_sec = static_cast<time_t>(seconds.count()),
                  .tv_nsec = static_cast<long>((*left - seconds).count())};
    }
    sys::ppoll(watched.data(), watched.size(), left ? &relative : nullptr, nullptr);
    silence_bell(bell_.get());
  }

  const Timeout request_deadline_;
  UniqueFd bell_;
  std::thread reaper_;
  std::mutex mutex_;  // guards what follows
  std::vector<Child> children_;
  bool ending_ = false;
};

}  // namespace

std::unique_ptr<Runner> make_fork_runner(Timeout request_deadline) {
  return std::make_unique<ForkRunner>(request_deadline);
}

}  // namespace detail
}  // namespace hawser
