// recv(2), send(2) and their kin. Each attempt is made with MSG_DONTWAIT, which concerns this one call: the descriptor
// stays in the mode in which the program, and whoever else has it, put it.
#include <patch/messages.h>

#include <poll.h>

#include <cerrno>

#include <patch/attempts.h>
#include <patch/libc.h>
#include <patch/parts.h>

namespace hawser::patch {
namespace {

bool is_stream(int fd) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// Calls that never wait, whatever the descriptor's mode.
constexpr int kAtOnce = MSG_DONTWAIT | MSG_ERRQUEUE;

// What MSG_WAITALL asks for beyond what has come.
ssize_t receive_rest(const char* call, int fd, const msghdr& message, int flags, ssize_t come) noexcept {
  const KeepErrno kept;
  Parts parts(message.msg_iov, message.msg_iovlen);
  parts.done(static_cast<std::size_t>(come));
  Patience patience(call, fd, POLLIN, SO_RCVTIMEO);
  while (parts.left() > 0) {
    const Parts::Some some = parts.next();
    msghdr rest{};
    rest.msg_iov = const_cast<iovec*>(some.data);
    rest.msg_iovlen = some.count;
    const ssize_t more = libc().recvmsg(fd, &rest, flags | MSG_DONTWAIT);
    if (more > 0) {
      parts.done(static_cast<std::size_t>(more));
      come += more;
      patience.moved();
    } else if (more == 0 || !would_block(errno) || !patience.again()) {
      break;
    }
  }
  return kept.succeeded(come);
}

}  // namespace

ssize_t receive(const char* call, int fd, msghdr& message, int flags) noexcept {
  // The kernel writes the lengths back, so that each attempt needs its own copy.
  msghdr attempted{};
  const ssize_t come = attempt_until_done(call, fd, POLLIN, SO_RCVTIMEO, [&] {
    attempted = message;
    return libc().recvmsg(fd, &attempted, flags | MSG_DONTWAIT);
  });
  if (come < 0) return come;
  message = attempted;
  const bool whole = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
  if (!whole || come == 0 || message.msg_controllen > 0 || !waits(fd) || !is_stream(fd)) return come;
  return receive_rest(call, fd, message, flags, come);
}

ssize_t transmit(const char* call, int fd, const msghdr& message, int flags) noexcept {
  const KeepErrno kept;
  const ssize_t first = attempt_until_done(call, fd, POLLOUT, SO_SNDTIMEO,
                                           [&] { return libc().sendmsg(fd, &message, flags | MSG_DONTWAIT); });
  if (first < 0) return first;
  Parts parts(message.msg_iov, message.msg_iovlen);
  parts.done(static_cast<std::size_t>(first));
  if (parts.left() == 0 || !waits(fd)) return first;
  // A stream that waits takes all of it. What went wrong after a part has gone is the next call's to say.
  ssize_t gone = first;
  Patience patience(call, fd, POLLOUT, SO_SNDTIMEO);
  while (parts.left() > 0 && patience.again()) {
    const Parts::Some some = parts.next();
    msghdr rest{};
    rest.msg_iov = const_cast<iovec*>(some.data);
    rest.msg_iovlen = some.count;
    const ssize_t more = libc().sendmsg(fd, &rest, flags | MSG_DONTWAIT);
    if (more > 0) {
      parts.done(static_cast<std::size_t>(more));
      gone += more;
      patience.moved();
    } else if (more == 0 || !would_block(errno)) {
      break;
    }
  }
  return kept.succeeded(gone);
}

}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::libc;

extern "C" {

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (!caller() || (flags & hawser::patch::kAtOnce) || !message) return libc().recvmsg(fd, message, flags);
  return hawser::patch::receive("recvmsg", fd, *message, flags);
}

ssize_t recvfrom(int fd, void* into, size_t size, int flags, sockaddr* from, socklen_t* length) {
  if (!caller() || (flags & hawser::patch::kAtOnce)) return libc().recvfrom(fd, into, size, flags, from, length);
  iovec part{.iov_base = into, .iov_len = size};
  msghdr message{};
  message.msg_name = from;
  message.msg_namelen = from && length ? *length : 0;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  const ssize_t got = hawser::patch::receive("recvfrom", fd, message, flags);
  if (got >= 0 && from && length) *length = message.msg_namelen;
  return got;
}

ssize_t recv(int fd, void* into, size_t size, int flags) {
  if (!caller() || (flags & hawser::patch::kAtOnce)) return libc().recv(fd, into, size, flags);
  iovec part{.iov_base = into, .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return hawser::patch::receive("recv", fd, message, flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (!caller() || (flags & MSG_DONTWAIT) || !message) return libc().sendmsg(fd, message, flags);
  return hawser::patch::transmit("sendmsg", fd, *message, flags);
}

ssize_t sendto(int fd, const void* from, size_t size, int flags, const sockaddr* to, socklen_t length) {
  if (!caller() || (flags & MSG_DONTWAIT)) return libc().sendto(fd, from, size, flags, to, length);
  iovec part{.iov_base = const_cast<void*>(from), .iov_len = size};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to);
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return hawser::patch::transmit("sendto", fd, message, flags);
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  if (!caller() || (flags & MSG_DONTWAIT)) return libc().send(fd, from, size, flags);
  iovec part{.iov_base = const_cast<void*>(from), .iov_len = size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return hawser::patch::transmit("send", fd, message, flags);
}
}
