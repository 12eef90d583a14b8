// What the program wants of a descriptor: whether calls on it are to wait, and how long. Internal.
//
// The kernel is asked, each time: nothing about descriptors is remembered here, so whatever set the mode or the
// timeout, on this descriptor or on a copy of it, has set it.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include <patch/waiting.h>

namespace hawser::patch {

[[nodiscard]] inline bool waits(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && !(flags & O_NONBLOCK);
}

// SO_RCVTIMEO or SO_SNDTIMEO, from now.
[[nodiscard]] inline Expiry patience(int fd, int option) noexcept {
  timeval time{};
  socklen_t size = sizeof time;
  if (::getsockopt(fd, SOL_SOCKET, option, &time, &size) < 0 || (time.tv_sec == 0 && time.tv_usec == 0)) {
    return Expiry::never();
  }
  return from_now(time.tv_sec, std::int64_t{time.tv_usec} * 1000);
}

// Leaves errno as a call that succeeds leaves it: alone.
class KeepErrno {
 public:
  KeepErrno() noexcept : saved_(errno) {}
  template <class Result>
  [[nodiscard]] Result succeeded(Result result) const noexcept {
    errno = saved_;
    return result;
  }

 private:
  int saved_;
};

}  // namespace hawser::patch
