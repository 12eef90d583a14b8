// Try first, then wait: how a patched call that moves bytes goes about it. Internal.
#pragma once

#include <algorithm>
#include <cerrno>

#include <patch/blocking.h>
#include <patch/waiting.h>

namespace hawser::patch {

// Waits between attempts that say EAGAIN, for one direction of a descriptor.
class Patience {
 public:
  // option: SO_RCVTIMEO or SO_SNDTIMEO; 0 for what has no timeout of its own.
  Patience(const char* call, int fd, short events, int option) noexcept
      : call_(call), fd_(fd), events_(events), expiry_(option ? patience(fd, option) : Expiry::never()) {}

  // True when another attempt is due. False: errno says why not; EAGAIN when the time is over.
  [[nodiscard]] bool again() noexcept {
    // There are descriptors whose readiness promises nothing (a UNIX datagram socket is always writable, however full
    // its receiver is): after a few vain attempts they are asked at intervals.
    const Outcome outcome = ++attempts_ <= kTrusted ? wait_for(call_, fd_, events_, expiry_) : pause();
    if (outcome == Outcome::expired) errno = EAGAIN;
    return outcome == Outcome::ready;
  }
  // An attempt moved something.
  void moved() noexcept { attempts_ = 0; }

 private:
  static constexpr int kTrusted = 3;
  static constexpr int kLongest = 5;  // 32 ms

  [[nodiscard]] Outcome pause() noexcept {
    const auto length = std::chrono::milliseconds(1 << std::min(attempts_ - kTrusted - 1, kLongest));
    const Outcome outcome = pause_until(call_, std::min(expiry_, Expiry::in(length)));
    return outcome == Outcome::expired && !expiry_.passed() ? Outcome::ready : outcome;
  }

  const char* call_;
  int fd_;
  short events_;
  Expiry expiry_;
  int attempts_ = 0;
};

[[nodiscard]] inline bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

// attempt(): one system call that never waits. What it says otherwise than "not now" is the result.
template <class Attempt>
ssize_t attempt_until_done(const char* call, int fd, short events, int option, const Attempt& attempt) noexcept {
  const KeepErrno kept;
  ssize_t result = attempt();
  if (result >= 0 || !would_block(errno)) return result;
  if (!waits(fd)) {
    errno = EAGAIN;
    return -1;
  }
  Patience patience(call, fd, events, option);
  while (patience.again()) {
    result = attempt();
    if (result >= 0) return kept.succeeded(result);
    if (!would_block(errno)) return result;
  }
  return -1;
}

}  // namespace hawser::patch
