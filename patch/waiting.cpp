#include <patch/waiting.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <memory>
#include <new>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/loop.h>
#include <patch/loop_waits.h>

namespace hawser::patch {
namespace {

// What can't be watched (epoll in epoll in epoll, no descriptor left) is looked at so often.
constexpr std::chrono::milliseconds kLook{10};
constexpr std::int64_t kLifetimeSeconds = std::int64_t{100} * 365 * 24 * 3600;

Outcome refuse(int error) noexcept {
  // Whoever tries again at once must not keep the loop to himself.
  caller()->loop.yield();
  errno = error;
  return Outcome::refused;
}

// The interests of a wait, listed for as long as it lives.
class Listed {
 public:
  Listed() noexcept = default;
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() {
    for (nfds_t i = 0; i < count_; ++i) waits_->remove(at_[i]);
  }

  // False when one of them can't be watched. Throws std::bad_alloc.
  [[nodiscard]] bool list(Wait& wait, const pollfd* set, nfds_t count) {
    if (count > few_.size()) {
      many_ = std::make_unique<Interest[]>(count);
      at_ = many_.get();
    }
    try {
      waits_ = &LoopWaits::here();
    } catch (const std::system_error&) {
      return false;
    }
    bool all = true;
    for (nfds_t i = 0; i < count; ++i) {
      if (set[i].fd < 0) continue;
      Interest& interest = at_[count_];
      interest.wait = &wait;
      interest.fd = set[i].fd;
      interest.events = static_cast<std::uint16_t>(set[i].events);
      all &= waits_->add(interest);
      ++count_;
    }
    return all;
  }

 private:
  LoopWaits* waits_ = nullptr;
  std::array<Interest, 4> few_;
  std::unique_ptr<Interest[]> many_;
  Interest* at_ = few_.data();
  nfds_t count_ = 0;
};

Outcome wait_on(Wait& wait, const pollfd* set, nfds_t count, Expiry expiry) noexcept {
  Wake why = Wake::ready;
  bool watched = false;
  try {
    Listed listed;
    watched = listed.list(wait, set, count);
    why = wait.waiter.park(watched ? expiry : std::min(expiry, Expiry::in(kLook)));
  } catch (const std::exception&) {
    return refuse(ENOMEM);
  }
  switch (why) {
    case Wake::ready:
      break;
    case Wake::expired:
      return watched || expiry.passed() ? Outcome::expired : Outcome::ready;
    case Wake::deadline:
      return refuse(ETIMEDOUT);
    case Wake::cancelled:
      return refuse(ECANCELED);
  }
  return Outcome::ready;
}

}  // namespace

Outcome wait_for_any(const char* call, const pollfd* set, nfds_t count, Expiry expiry) noexcept {
  Wait wait(call);
  return wait_on(wait, set, count, expiry);
}

Outcome wait_for(const char* call, int fd, short events, Expiry expiry) noexcept {
  Wait wait(call);
  wait.waiter.set_object(nullptr, fd);
  const pollfd one{.fd = fd, .events = events, .revents = 0};
  const Outcome outcome = wait_on(wait, &one, 1, expiry);
  if (!wait.closed || outcome != Outcome::ready) return outcome;
  errno = EBADF;
  return Outcome::refused;
}

Outcome pause_until(const char* call, Expiry expiry) noexcept { return wait_for_any(call, nullptr, 0, expiry); }

bool is_to_stop() noexcept {
  if (caller()->cancel_due()) return refuse(ECANCELED) == Outcome::refused;
  if (std::uncaught_exceptions() == 0 && Deadline::current().passed()) return refuse(ETIMEDOUT) == Outcome::refused;
  return false;
}

void forget(int fd) noexcept { LoopWaits::end_waits_everywhere(fd); }

Expiry from_now(std::int64_t seconds, std::int64_t nanoseconds) noexcept {
  if (seconds > kLifetimeSeconds) return Expiry::never();
  return Expiry::at(Clock::now() + std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanoseconds));
}

}  // namespace hawser::patch
