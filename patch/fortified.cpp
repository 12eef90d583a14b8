// What the compiler makes of calls whose buffer it knows (_FORTIFY_SOURCE): names of their own in the C library, which
// compare the sizes and then do the same. Debian's libraries are compiled with it.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

extern "C" {

[[noreturn]] void __chk_fail() noexcept;

ssize_t __read_chk(int fd, void* into, size_t size, size_t room) {
  if (size > room) __chk_fail();
  return ::read(fd, into, size);
}

ssize_t __recv_chk(int fd, void* into, size_t size, size_t room, int flags) {
  if (size > room) __chk_fail();
  return ::recv(fd, into, size, flags);
}

ssize_t __recvfrom_chk(int fd, void* into, size_t size, size_t room, int flags, sockaddr* from, socklen_t* length) {
  if (size > room) __chk_fail();
  return ::recvfrom(fd, into, size, flags, from, length);
}

int __poll_chk(pollfd* set, nfds_t count, int timeout, size_t room) {
  if (room / sizeof *set < count) __chk_fail();
  return ::poll(set, count, timeout);
}

int __ppoll_chk(pollfd* set, nfds_t count, const timespec* timeout, const sigset_t* mask, size_t room) {
  if (room / sizeof *set < count) __chk_fail();
  return ::ppoll(set, count, timeout, mask);
}
}
