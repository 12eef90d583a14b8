// poll(2), select(2), epoll_wait(2) and their kin: a look by the call itself, without waiting; when there is nothing,
// the fiber waits for any of the descriptors, and looks again. A signal mask is in force during the looks only: while
// the fiber waits its thread runs other fibers.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <new>

#include <patch/blocking.h>
#include <patch/libc.h>
#include <patch/waiting.h>

namespace hawser::patch {
namespace {

constexpr timespec kNone{.tv_sec = 0, .tv_nsec = 0};

Expiry after_milliseconds(int timeout) noexcept {
  return timeout < 0 ? Expiry::never() : from_now(timeout / 1000, timeout % 1000 * 1'000'000LL);
}

Expiry after(const timespec* timeout) noexcept {
  return timeout ? from_now(timeout->tv_sec, timeout->tv_nsec) : Expiry::never();
}

bool is_valid(const timespec* timeout) noexcept {
  return !timeout || (timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 && timeout->tv_nsec < 1'000'000'000);
}

bool is_zero(const timespec* timeout) noexcept { return timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0; }

// look(): what the call returns, at once; wait(): an Outcome. 0 when the time is over.
template <class Look, class WaitForIt>
int look_and_wait(const Look& look, const WaitForIt& wait) noexcept {
  const KeepErrno kept;
  for (;;) {
    const int found = look();
    if (found > 0) return kept.succeeded(found);
    if (found < 0) return found;
    switch (wait()) {
      case Outcome::ready:
        break;
      case Outcome::expired:
        return kept.succeeded(0);
      case Outcome::refused:
        return -1;
    }
  }
}

int poll_in_fiber(const char* call, pollfd* set, nfds_t count, Expiry expiry, const sigset_t* mask) noexcept {
  return look_and_wait([&] { return mask ? libc().ppoll(set, count, &kNone, mask) : libc().poll(set, count, 0); },
                       [&] { return wait_for_any(call, set, count, expiry); });
}

int epoll_in_fiber(const char* call, int epoll, epoll_event* events, int most, Expiry expiry,
                   const sigset_t* mask) noexcept {
  return look_and_wait(
      [&] {
        return mask ? libc().epoll_pwait(epoll, events, most, 0, mask) : libc().epoll_wait(epoll, events, most, 0);
      },
      [&] { return wait_for(call, epoll, POLLIN, expiry); });
}

// The sets of a select(2): as the caller gave them, and what is to be waited for.
class Sets {
 public:
  Sets(int count, fd_set* read, fd_set* write, fd_set* except) noexcept
      : count_(count), given_{read, write, except}, bytes_(words() * sizeof(fd_mask)) {}

  // Throws std::bad_alloc.
  void keep() {
    for (std::size_t i = 0; i < 3; ++i) {
      if (!given_[i]) continue;
      asked_[i] = std::make_unique<fd_mask[]>(words());
      std::memcpy(asked_[i].get(), given_[i], bytes_);
    }
    static constexpr short kEvents[3] = {POLLIN, POLLOUT, POLLPRI};
    for (int pass = 0; pass < 2; ++pass) {  // counted, then written down
      watched_ = 0;
      for (int fd = 0; fd < count_; ++fd) {
        short events = 0;
        for (std::size_t i = 0; i < 3; ++i) {
          if (asked_[i] && (asked_[i][static_cast<std::size_t>(fd / kBits)] >> (fd % kBits) & 1)) events |= kEvents[i];
        }
        if (events == 0) continue;
        if (pass == 1) list_[watched_] = {.fd = fd, .events = events, .revents = 0};
        ++watched_;
      }
      if (pass == 0) list_ = std::make_unique<pollfd[]>(watched_);
    }
  }

  // As they were asked for: a look overwrites them.
  void restore() noexcept {
    for (std::size_t i = 0; i < 3; ++i) {
      if (given_[i]) std::memcpy(given_[i], asked_[i].get(), bytes_);
    }
  }

  [[nodiscard]] const pollfd* watched() const noexcept { return list_.get(); }
  [[nodiscard]] nfds_t watched_count() const noexcept { return watched_; }

 private:
  static constexpr int kBits = static_cast<int>(sizeof(fd_mask) * CHAR_BIT);
  [[nodiscard]] std::size_t words() const noexcept { return static_cast<std::size_t>((count_ + kBits - 1) / kBits); }

  int count_;
  fd_set* given_[3];
  std::size_t bytes_;
  std::unique_ptr<fd_mask[]> asked_[3];
  std::unique_ptr<pollfd[]> list_;
  nfds_t watched_ = 0;
};

int select_in_fiber(const char* call, int count, fd_set* read, fd_set* write, fd_set* except, Expiry expiry,
                    const sigset_t* mask) noexcept {
  Sets sets(count, read, write, except);
  try {
    sets.keep();
  } catch (const std::bad_alloc&) {
    errno = ENOMEM;
    return -1;
  }
  return look_and_wait(
      [&] {
        sets.restore();
        return libc().pselect(count, read, write, except, &kNone, mask);
      },
      [&] { return wait_for_any(call, sets.watched(), sets.watched_count(), expiry); });
}

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::libc;

extern "C" {

int poll(pollfd* set, nfds_t count, int timeout) {
  if (!caller() || timeout == 0) return libc().poll(set, count, timeout);
  return hawser::patch::poll_in_fiber("poll", set, count, hawser::patch::after_milliseconds(timeout), nullptr);
}

int ppoll(pollfd* set, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (!caller() || !hawser::patch::is_valid(timeout) || hawser::patch::is_zero(timeout)) {
    return libc().ppoll(set, count, timeout, mask);
  }
  return hawser::patch::poll_in_fiber("ppoll", set, count, hawser::patch::after(timeout), mask);
}

int select(int count, fd_set* read, fd_set* write, fd_set* except, timeval* timeout) {
  if (!caller() || count < 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_usec == 0) ||
      (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0))) {
    return libc().select(count, read, write, except, timeout);
  }
  const hawser::Expiry expiry = timeout
                                    ? hawser::patch::from_now(timeout->tv_sec, std::int64_t{timeout->tv_usec} * 1000)
                                    : hawser::Expiry::never();
  const int found = hawser::patch::select_in_fiber("select", count, read, write, except, expiry, nullptr);
  if (timeout) {  // as Linux does
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(expiry.left().value_or(hawser::Duration()));
    timeout->tv_sec = left.count() / 1'000'000;
    timeout->tv_usec = left.count() % 1'000'000;
  }
  return found;
}

int pselect(int count, fd_set* read, fd_set* write, fd_set* except, const timespec* timeout, const sigset_t* mask) {
  if (!caller() || count < 0 || !hawser::patch::is_valid(timeout) || hawser::patch::is_zero(timeout)) {
    return libc().pselect(count, read, write, except, timeout, mask);
  }
  return hawser::patch::select_in_fiber("pselect", count, read, write, except, hawser::patch::after(timeout), mask);
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  if (!caller() || timeout == 0) return libc().epoll_wait(epoll, events, most, timeout);
  return hawser::patch::epoll_in_fiber("epoll_wait", epoll, events, most, hawser::patch::after_milliseconds(timeout),
                                       nullptr);
}

int epoll_pwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  if (!caller() || timeout == 0) return libc().epoll_pwait(epoll, events, most, timeout, mask);
  return hawser::patch::epoll_in_fiber("epoll_pwait", epoll, events, most, hawser::patch::after_milliseconds(timeout),
                                       mask);
}

int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* timeout, const sigset_t* mask) {
  if (!caller() || !hawser::patch::is_valid(timeout) || hawser::patch::is_zero(timeout)) {
    return libc().epoll_pwait2(epoll, events, most, timeout, mask);
  }
  return hawser::patch::epoll_in_fiber("epoll_pwait2", epoll, events, most, hawser::patch::after(timeout), mask);
}
}
