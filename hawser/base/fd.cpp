#include <hawser/base/fd.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>

namespace hawser {

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) {
    const int saved = errno;
    detail::sys::close(fd_);  // never repeated on EINTR: Linux has let go of the number by then (close(2))
    errno = saved;
  }
  fd_ = fd;
}

UniqueFd duplicate(int fd) {
  const int copy = detail::sys::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw_errno("dup", "descriptor " + std::to_string(fd));
  return UniqueFd(copy);
}

void set_nonblocking(int fd, bool on) {
  const int flags = detail::sys::fcntl(fd, F_GETFL);
  if (flags < 0) throw_errno("fcntl", "descriptor " + std::to_string(fd));
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && detail::sys::fcntl(fd, F_SETFL, wanted) < 0)
    throw_errno("fcntl", "descriptor " + std::to_string(fd));
}

}  // namespace hawser
