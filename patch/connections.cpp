// connect(2), accept(2), accept4(2).
//
// There is no flag for a single connect(2), so a socket that waits is put into non-blocking mode for that one system
// call. It is not connected yet; whoever shares it has no other use for it in that microsecond.
//
// accept(2) has no such flag either, and a listener may be shared with other processes, which must not see another
// mode: it is called once the listener is readable. Where others accept from the same blocking listener, one of them
// may take the connection between the two, and the call then waits in the kernel: such listeners should be
// non-blocking, as with poll(2) itself (accept(2), "BUGS" of select(2)).
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include <patch/attempts.h>
#include <patch/libc.h>

namespace hawser::patch {
namespace {

int connect_once(int fd, const sockaddr* to, socklen_t size, int flags) noexcept {
  if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return errno;
  const int error = libc().connect(fd, to, size) == 0 ? 0 : errno;
  ::fcntl(fd, F_SETFL, flags);
  return error;
}

int failure_of(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

bool is_settled(int fd) noexcept {
  pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
  return libc().poll(&one, 1, 0) != 0;
}

int connect_in_fiber(int fd, const sockaddr* to, socklen_t size) noexcept {
  const KeepErrno kept;
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK)) return libc().connect(fd, to, size);
  const Expiry expiry = patience(fd, SO_SNDTIMEO);
  auto pause = std::chrono::milliseconds(1);
  int error = connect_once(fd, to, size, flags);
  // The backlog of a UNIX listener is full, and there is no event for when that changes.
  while (error == EAGAIN && to->sa_family == AF_UNIX) {
    if (pause_until("connect", std::min(expiry, Expiry::in(pause))) == Outcome::refused) return -1;
    if (expiry.passed()) break;
    pause = std::min(pause * 2, std::chrono::milliseconds(32));
    error = connect_once(fd, to, size, flags);
  }
  if (error == EINPROGRESS || error == EINTR || error == EALREADY) {
    while (!is_settled(fd)) {
      switch (wait_for("connect", fd, POLLOUT, expiry)) {
        case Outcome::ready:
          break;
        case Outcome::expired:
          errno = EINPROGRESS;  // socket(7), SO_SNDTIMEO
          return -1;
        case Outcome::refused:
          return -1;
      }
    }
    error = failure_of(fd);
  }
  if (error == 0) return kept.succeeded(0);
  errno = error;
  return -1;
}

template <class Accept>
int accept_in_fiber(const char* call, int fd, const Accept& accept) noexcept {
  if (!waits(fd)) return accept();
  return static_cast<int>(attempt_until_done(call, fd, POLLIN, SO_RCVTIMEO, [&]() -> ssize_t {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    if (libc().poll(&one, 1, 0) != 0) return accept();
    errno = EAGAIN;
    return -1;
  }));
}

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::libc;

extern "C" {

int connect(int fd, const sockaddr* to, socklen_t size) {
  if (!caller() || !to) return libc().connect(fd, to, size);
  return hawser::patch::connect_in_fiber(fd, to, size);
}

int accept(int fd, sockaddr* peer, socklen_t* size) {
  if (!caller()) return libc().accept(fd, peer, size);
  return hawser::patch::accept_in_fiber("accept", fd, [&] { return libc().accept(fd, peer, size); });
}

int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) {
  if (!caller()) return libc().accept4(fd, peer, size, flags);
  return hawser::patch::accept_in_fiber("accept4", fd, [&] { return libc().accept4(fd, peer, size, flags); });
}
}
