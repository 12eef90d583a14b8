#include <hawser/process/popen_state.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

// What a child that somebody else has reaped is said to have returned.
constexpr int kUnknown = 255;

constexpr auto kPidfd = static_cast<idtype_t>(P_PIDFD);

// Wakes a waiter when it goes, also with a fiber that never ran.
struct Ring {
  explicit Ring(Waiter& to) : waiter(to) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { waiter.unpark(); }
  Waiter& waiter;
};

}  // namespace

Popen::State::~State() {
  if (pid < 0) return;
  if (in) in->close();
  if (out) out->close();
  if (err) err->close();
  if (!poll()) {
    // Where it runs as somebody else now and we may not end it, we wait. What the group says tells nothing of the
    // child.
    for (const auto kill : {&State::send_to_group, &State::send}) {
      try {
        (this->*kill)(SIGKILL);
      } catch (const SystemError&) {
      }
    }
    wait_to_the_end();
  }
  siginfo_t info{};
  while (has_group && detail::sys::waitid(kPidfd, static_cast<id_t>(pidfd->fd()), &info, WEXITED | WNOHANG) != 0 &&
         errno == EINTR) {
  }
}

void Popen::State::adopt(detail::ChildStart::Child child) {
  pid = child.pid;
  pidfd.emplace(std::move(child.pidfd));
}

void Popen::State::keep(int code) noexcept {
  return_code_ = code;
  ended_.store(true, std::memory_order_release);
}

std::optional<int> Popen::State::poll() noexcept {
  if (!ended_.load(std::memory_order_acquire)) {
    const std::lock_guard hold(reaping_);
    if (ended_.load(std::memory_order_relaxed)) return return_code_;
    siginfo_t info{};
    const int how = WEXITED | WNOHANG | (has_group ? WNOWAIT : 0);
    int result = -1;
    do {
      result = detail::sys::waitid(kPidfd, static_cast<id_t>(pidfd->fd()), &info, how);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
      if (errno != ECHILD) return std::nullopt;
      keep(kUnknown);
    } else if (info.si_pid == 0) {
      return std::nullopt;
    } else {
      keep(info.si_code == CLD_EXITED ? info.si_status : -info.si_status);
    }
  }
  return return_code_;
}

bool Popen::State::wait(Expiry expiry) {
  if (poll()) return true;
  if (expiry.passed() || !waiting_.acquire(expiry.left())) return poll().has_value();
  const std::lock_guard hold(waiting_, std::adopt_lock);
  if (poll()) return true;
  Pollable::Use use(*pidfd, Direction::read, "wait for", name());
  while (!poll()) {
    use.drained();
    const Wake why = use.wait(expiry);
    if (why == Wake::expired) return poll().has_value();
    throw_unless_ready(why, "wait for " + name());
  }
  return true;
}

// In a fiber of its own, which neither the caller's deadlines nor its cancellation reach. Should that be impossible,
// for the run is ending or memory has run out, this thread stands still for the moment that a killed process needs.
void Popen::State::wait_to_the_end() noexcept {
  if (in_fiber() && !poll()) {
    Waiter ended("child's end");
    try {
      const auto aside = spawn([this, ring = std::make_unique<Ring>(ended)] mutable {
        const auto mine = std::move(ring);
        static_cast<void>(wait(Expiry::never()));
      });
      static_cast<void>(aside);
    } catch (...) {
      // The ring has gone with the closure.
    }
    ended.park_uninterrupted();
  }
  while (!poll()) {
    siginfo_t info{};
    detail::sys::waitid(kPidfd, static_cast<id_t>(pidfd->fd()), &info, WEXITED | WNOWAIT);
  }
}

void Popen::State::send(int signal) {
  if (poll()) return;
  if (detail::sys::pidfd_send_signal(pidfd->fd(), signal) != 0 && errno != ESRCH) {
    throw_errno("signal", name());
  }
}

// The child is not reaped while the group may be signalled, so the number can't have become somebody else's.
void Popen::State::send_to_group(int signal) {
  if (!has_group) return send(signal);
  if (detail::sys::kill(-pid, signal) != 0 && errno != ESRCH) throw_errno("signal the group of", name());
}

}  // namespace hawser
