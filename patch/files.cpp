// read(2), write(2), readv(2), writev(2): on sockets as recv(2) and send(2); on pipes and devices by RWF_NOWAIT, which
// concerns this one call, or a look first where the kernel doesn't know it for such a file. Regular files and
// directories never wait, so they are not kept from the disk.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include <patch/attempts.h>
#include <patch/libc.h>
#include <patch/messages.h>
#include <patch/parts.h>

namespace hawser::patch {
namespace {

// A terminal that is writable has room for a little, not for a page.
constexpr std::size_t kTerminalPiece = 256;

enum class Kind { other, pipe, device };

// What may be waited for: a pipe, or a terminal, an eventfd and whatever else is not on a disk.
Kind kind_of(int fd) noexcept {
  struct stat about {};
  if (::fstat(fd, &about) < 0) return Kind::other;
  switch (about.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFDIR:
    case S_IFBLK:
    case S_IFLNK:
      return Kind::other;
    case S_IFCHR:
      return Kind::device;
    default:
      return Kind::pipe;
  }
}

// Whether the kernel has no such thing as a call without waiting, for this kind of file.
bool is_unknown(int error) noexcept {
  return error == EOPNOTSUPP || error == ENOSYS || error == ESPIPE || error == EINVAL || error == EPERM;
}

bool is_ready(int fd, short events) noexcept {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  return libc().poll(&one, 1, 0) != 0;
}

ssize_t read_parts(const char* call, int fd, const iovec* parts, int count) noexcept {
  if (!waits(fd) || kind_of(fd) == Kind::other) return libc().readv(fd, parts, count);
  return attempt_until_done(call, fd, POLLIN, 0, [&]() -> ssize_t {
    const ssize_t got = ::preadv2(fd, parts, count, -1, RWF_NOWAIT);
    if (got >= 0 || !is_unknown(errno)) return got;
    if (is_ready(fd, POLLIN)) return libc().readv(fd, parts, count);
    errno = EAGAIN;
    return -1;
  });
}

ssize_t write_some(int fd, const Parts::Some& some, Kind kind, Parts& parts) noexcept {
  const ssize_t put = ::pwritev2(fd, some.data, static_cast<int>(some.count), -1, RWF_NOWAIT);
  if (put >= 0 || !is_unknown(errno)) return put;
  if (is_ready(fd, POLLOUT)) {
    const Parts::Some piece = parts.next(kind == Kind::device ? kTerminalPiece : PIPE_BUF);
    return libc().writev(fd, piece.data, static_cast<int>(piece.count));
  }
  errno = EAGAIN;
  return -1;
}

ssize_t write_parts(const char* call, int fd, const iovec* all, int count) noexcept {
  const Kind kind = waits(fd) ? kind_of(fd) : Kind::other;
  if (kind == Kind::other) return libc().writev(fd, all, count);
  Parts parts(all, static_cast<std::size_t>(count));
  ssize_t gone = attempt_until_done(call, fd, POLLOUT, 0, [&] { return write_some(fd, parts.next(), kind, parts); });
  if (gone < 0) return gone;
  const KeepErrno kept;
  parts.done(static_cast<std::size_t>(gone));
  Patience patience(call, fd, POLLOUT, 0);
  while (parts.left() > 0) {
    const ssize_t more = write_some(fd, parts.next(), kind, parts);
    if (more > 0) {
      parts.done(static_cast<std::size_t>(more));
      gone += more;
      patience.moved();
    } else if (more == 0 || !would_block(errno) || !patience.again()) {
      break;
    }
  }
  return kept.succeeded(gone);
}

// What is written there comes from loggers, which hold a lock meanwhile: another fiber of the thread would wait for
// that lock for good. So it goes straight on.
bool is_log(int fd) noexcept { return fd == STDOUT_FILENO || fd == STDERR_FILENO; }

bool is_no_socket(ssize_t result) noexcept { return result < 0 && errno == ENOTSOCK; }

ssize_t read_any(const char* call, int fd, const iovec* parts, int count) noexcept {
  const KeepErrno kept;
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  const ssize_t got = receive(call, fd, message, 0);
  if (!is_no_socket(got)) return got;
  return read_parts(call, fd, parts, kept.succeeded(count));
}

ssize_t write_any(const char* call, int fd, const iovec* parts, int count) noexcept {
  const KeepErrno kept;
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  const ssize_t put = transmit(call, fd, message, 0);
  if (!is_no_socket(put)) return put;
  return write_parts(call, fd, parts, kept.succeeded(count));
}

bool is_odd(const iovec* parts, int count) noexcept { return !parts || count <= 0 || count > IOV_MAX; }

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::libc;

extern "C" {

ssize_t read(int fd, void* into, size_t size) {
  if (!caller() || size == 0) return libc().read(fd, into, size);
  const iovec part{.iov_base = into, .iov_len = size};
  return hawser::patch::read_any("read", fd, &part, 1);
}

ssize_t readv(int fd, const iovec* parts, int count) {
  if (!caller() || hawser::patch::is_odd(parts, count)) return libc().readv(fd, parts, count);
  return hawser::patch::read_any("readv", fd, parts, count);
}

ssize_t write(int fd, const void* from, size_t size) {
  if (!caller() || size == 0 || hawser::patch::is_log(fd)) return libc().write(fd, from, size);
  const iovec part{.iov_base = const_cast<void*>(from), .iov_len = size};
  return hawser::patch::write_any("write", fd, &part, 1);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  if (!caller() || hawser::patch::is_odd(parts, count) || hawser::patch::is_log(fd)) {
    return libc().writev(fd, parts, count);
  }
  return hawser::patch::write_any("writev", fd, parts, count);
}
}
