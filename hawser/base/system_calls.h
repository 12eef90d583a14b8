// The system calls that move bytes, make descriptors, map memory or send signals, as hawser makes them: sys::recv(...)
// is recv(2). Internal. Here tests put faults between us and the kernel (faults.h); without HAWSER_FAULTS each name is
// the C library's own function, so that there is nothing to pay for. What a signal handler or a child before its exec
// calls does not come through here, nor do rings of an eventfd, which never fail.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

#include <hawser/base/sleeping_calls.h>

#ifndef HAWSER_FAULTS

namespace hawser::detail::sys {

using ::accept4;
using ::bind;
using ::close;
using ::connect;
using ::epoll_create1;
using ::epoll_ctl;
using ::eventfd;
using ::fcntl;
using ::flock;
using ::fork;
using ::getpeername;
using ::getsockname;
using ::getsockopt;
using ::ioctl;
using ::kill;
using ::listen;
using ::madvise;
using ::memfd_create;
using ::mmap;
using ::mprotect;
using ::open;
using ::pipe2;
using ::posix_openpt;
using ::pread;
using ::preadv2;
using ::read;
using ::readv;
using ::recv;
using ::recvfrom;
using ::recvmmsg;
using ::select;
using ::send;
using ::sendfile;
using ::sendmmsg;
using ::sendmsg;
using ::sendto;
using ::setsockopt;
using ::shutdown;
using ::socket;
using ::socketpair;
using ::splice;
using ::waitid;
using ::write;
using ::writev;
using sleeping::epoll_pwait2;
using sleeping::epoll_wait;
using sleeping::io_uring_enter;
using sleeping::poll;
using sleeping::ppoll;

inline int io_uring_setup(unsigned entries, void* parameters) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_setup, entries, parameters));
}
inline int io_uring_register(int ring, unsigned operation, void* argument, unsigned count) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_register, ring, operation, argument, count));
}
inline int pidfd_open(pid_t process, unsigned flags) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, flags));
}
inline int pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}
// clone(2) is made in more than one way, and threads by std::thread: these come before.
constexpr bool clone_fails() noexcept { return false; }
constexpr bool thread_create_fails() noexcept { return false; }

// Whether a call on the descriptor was answered by a test and not by the kernel, since the last time that was asked:
// then EAGAIN or a short count does not mean that the descriptor will be reported once more.
constexpr bool tampered(int /*fd*/, bool /*writing*/) noexcept { return false; }

}  // namespace hawser::detail::sys

#else

#include <algorithm>
#include <array>
#include <cerrno>

#include <hawser/base/faults.h>

namespace hawser::detail::sys {

// True when the call is not to be made: errno says why. The second makes `size` smaller for a short count. fd: what is
// waited on when the call says EAGAIN.
bool fails(SystemCall call, int fd = -1) noexcept;
bool fails(SystemCall call, std::size_t& size, int fd) noexcept;
bool tampered(int fd, bool writing) noexcept;

// Part of an array of iovecs, for a short count.
class Parts {
 public:
  Parts(const iovec* parts, std::size_t count, std::size_t bytes) noexcept {
    for (; count_ < std::min(count, parts_.size()) && bytes > 0; ++count_) {
      parts_[count_] = {parts[count_].iov_base, std::min(parts[count_].iov_len, bytes)};
      bytes -= parts_[count_].iov_len;
    }
  }
  static std::size_t total(const iovec* parts, std::size_t count) noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += parts[i].iov_len;
    return sum;
  }
  [[nodiscard]] iovec* data() noexcept { return parts_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  std::array<iovec, 64> parts_;
  std::size_t count_ = 0;
};

inline int accept4(int fd, sockaddr* peer, socklen_t* size, int flags) noexcept {
  return fails(SystemCall::accept4, fd) ? -1 : ::accept4(fd, peer, size, flags);
}
inline int bind(int fd, const sockaddr* to, socklen_t size) noexcept {
  return fails(SystemCall::bind) ? -1 : ::bind(fd, to, size);
}
inline bool clone_fails() noexcept { return fails(SystemCall::clone); }
inline int close(int fd) noexcept {
  const int result = ::close(fd);
  return fails(SystemCall::close) ? -1 : result;
}
// Interrupted, it goes on behind our back (connect(2)).
inline int connect(int fd, const sockaddr* to, socklen_t size) noexcept {
  if (!fails(SystemCall::connect, fd)) return ::connect(fd, to, size);
  const int error = errno;
  if (error == EINTR && ::connect(fd, to, size) < 0 && errno != EINPROGRESS) return -1;
  errno = error;
  return -1;
}
inline int epoll_create1(int flags) noexcept { return fails(SystemCall::epoll_create) ? -1 : ::epoll_create1(flags); }
inline int epoll_ctl(int epoll, int what, int fd, epoll_event* event) noexcept {
  return what == EPOLL_CTL_ADD && fails(SystemCall::epoll_ctl) ? -1 : ::epoll_ctl(epoll, what, fd, event);
}
inline int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) noexcept {
  return fails(SystemCall::epoll_wait) ? -1 : sleeping::epoll_wait(epoll, events, most, milliseconds);
}
inline int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* wait) noexcept {
  return fails(SystemCall::epoll_wait) ? -1 : sleeping::epoll_pwait2(epoll, events, most, wait);
}
inline int eventfd(unsigned start, int flags) noexcept {
  return fails(SystemCall::eventfd) ? -1 : ::eventfd(start, flags);
}
template <class... Argument>
int fcntl(int fd, int command, Argument... argument) noexcept {
  if (command == F_DUPFD_CLOEXEC && fails(SystemCall::dup)) return -1;
  return ::fcntl(fd, command, argument...);
}
inline int flock(int fd, int operation) noexcept { return fails(SystemCall::flock) ? -1 : ::flock(fd, operation); }
inline pid_t fork() noexcept { return fails(SystemCall::clone) ? -1 : ::fork(); }
inline int getpeername(int fd, sockaddr* name, socklen_t* size) noexcept {
  return fails(SystemCall::getsockname) ? -1 : ::getpeername(fd, name, size);
}
inline int getsockname(int fd, sockaddr* name, socklen_t* size) noexcept {
  return fails(SystemCall::getsockname) ? -1 : ::getsockname(fd, name, size);
}
inline int getsockopt(int fd, int level, int number, void* value, socklen_t* size) noexcept {
  return fails(SystemCall::getsockopt) ? -1 : ::getsockopt(fd, level, number, value, size);
}
inline int ioctl(int fd, unsigned long request, void* argument) noexcept {
  return fails(SystemCall::ioctl) ? -1 : ::ioctl(fd, request, argument);
}
inline int io_uring_register(int ring, unsigned operation, void* argument, unsigned count) noexcept {
  if (fails(SystemCall::io_uring_register)) return -1;
  return static_cast<int>(::syscall(SYS_io_uring_register, ring, operation, argument, count));
}
inline int io_uring_setup(unsigned entries, void* parameters) noexcept {
  if (fails(SystemCall::io_uring_setup)) return -1;
  return static_cast<int>(::syscall(SYS_io_uring_setup, entries, parameters));
}
inline int io_uring_enter(int ring, unsigned submit, unsigned wait_for, unsigned flags, const void* argument,
                          std::size_t size) noexcept {
  if (fails(SystemCall::io_uring_enter)) return -1;
  return sleeping::io_uring_enter(ring, submit, wait_for, flags, argument, size);
}
inline int kill(pid_t process, int signal) noexcept { return fails(SystemCall::kill) ? -1 : ::kill(process, signal); }
inline int listen(int fd, int backlog) noexcept { return fails(SystemCall::listen) ? -1 : ::listen(fd, backlog); }
inline int madvise(void* from, std::size_t size, int advice) noexcept {
  return fails(SystemCall::madvise) ? -1 : ::madvise(from, size, advice);
}
inline int memfd_create(const char* name, unsigned flags) noexcept {
  return fails(SystemCall::memfd_create) ? -1 : ::memfd_create(name, flags);
}
inline void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  return fails(SystemCall::mmap) ? MAP_FAILED : ::mmap(at, size, protection, flags, fd, offset);
}
inline int mprotect(void* from, std::size_t size, int protection) noexcept {
  return fails(SystemCall::mprotect) ? -1 : ::mprotect(from, size, protection);
}
template <class... Mode>
int open(const char* path, int flags, Mode... mode) noexcept {
  return fails(SystemCall::open) ? -1 : ::open(path, flags, mode...);
}
inline int pidfd_open(pid_t process, unsigned flags) noexcept {
  return fails(SystemCall::pidfd_open) ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, process, flags));
}
inline int pidfd_send_signal(int pidfd, int signal) noexcept {
  if (fails(SystemCall::pidfd_send_signal)) return -1;
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}
inline int pipe2(int* ends, int flags) noexcept { return fails(SystemCall::pipe) ? -1 : ::pipe2(ends, flags); }
inline int poll(pollfd* watched, nfds_t count, int milliseconds) noexcept {
  return fails(SystemCall::poll) ? -1 : sleeping::poll(watched, count, milliseconds);
}
inline int ppoll(pollfd* watched, nfds_t count, const timespec* wait, const sigset_t* mask) noexcept {
  return fails(SystemCall::poll) ? -1 : sleeping::ppoll(watched, count, wait, mask);
}
inline int posix_openpt(int flags) noexcept { return fails(SystemCall::open) ? -1 : ::posix_openpt(flags); }
inline ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept {
  return fails(SystemCall::pread, size, fd) ? -1 : ::pread(fd, into, size, offset);
}
inline ssize_t preadv2(int fd, const iovec* parts, int count, off_t offset, int flags) noexcept {
  const auto all = static_cast<std::size_t>(count);
  const std::size_t whole = Parts::total(parts, all);
  std::size_t size = whole;
  if (fails(SystemCall::pread, size, fd)) return -1;
  if (size == whole) return ::preadv2(fd, parts, count, offset, flags);
  Parts part(parts, all, size);
  return ::preadv2(fd, part.data(), static_cast<int>(part.size()), offset, flags);
}
inline ssize_t read(int fd, void* into, std::size_t size) noexcept {
  return fails(SystemCall::read, size, fd) ? -1 : ::read(fd, into, size);
}
inline ssize_t readv(int fd, const iovec* parts, int count) noexcept {
  const auto all = static_cast<std::size_t>(count);
  const std::size_t whole = Parts::total(parts, all);
  std::size_t size = whole;
  if (fails(SystemCall::read, size, fd)) return -1;
  if (size == whole) return ::readv(fd, parts, count);
  Parts part(parts, all, size);
  return ::readv(fd, part.data(), static_cast<int>(part.size()));
}
inline ssize_t recv(int fd, void* into, std::size_t size, int flags) noexcept {
  return fails(SystemCall::recv, size, fd) ? -1 : ::recv(fd, into, size, flags);
}
// A datagram is whole or not there.
inline ssize_t recvfrom(int fd, void* into, std::size_t size, int flags, sockaddr* from, socklen_t* length) noexcept {
  return fails(SystemCall::recv, fd) ? -1 : ::recvfrom(fd, into, size, flags, from, length);
}
inline int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* wait) noexcept {
  std::size_t most = count;
  return fails(SystemCall::recvmmsg, most, fd) ? -1
                                               : ::recvmmsg(fd, messages, static_cast<unsigned>(most), flags, wait);
}
inline int select(int end, fd_set* read, fd_set* write, fd_set* except, timeval* wait) noexcept {
  return fails(SystemCall::select) ? -1 : ::select(end, read, write, except, wait);
}
inline ssize_t send(int fd, const void* from, std::size_t size, int flags) noexcept {
  return fails(SystemCall::send, size, fd) ? -1 : ::send(fd, from, size, flags);
}
inline ssize_t sendto(int fd, const void* from, std::size_t size, int flags, const sockaddr* to,
                      socklen_t length) noexcept {
  return fails(SystemCall::send, fd) ? -1 : ::sendto(fd, from, size, flags, to, length);
}
inline int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept {
  std::size_t most = count;
  return fails(SystemCall::sendmmsg, most, fd) ? -1 : ::sendmmsg(fd, messages, static_cast<unsigned>(most), flags);
}
// Short only on a connection: what has an address or ancillary data is one message.
inline ssize_t sendmsg(int fd, const msghdr* message, int flags) noexcept {
  if (message->msg_name || message->msg_control) {
    return fails(SystemCall::sendmsg, fd) ? -1 : ::sendmsg(fd, message, flags);
  }
  const std::size_t whole = Parts::total(message->msg_iov, message->msg_iovlen);
  std::size_t size = whole;
  if (fails(SystemCall::sendmsg, size, fd)) return -1;
  if (size == whole) return ::sendmsg(fd, message, flags);
  Parts part(message->msg_iov, message->msg_iovlen, size);
  msghdr shorter = *message;
  shorter.msg_iov = part.data();
  shorter.msg_iovlen = part.size();
  return ::sendmsg(fd, &shorter, flags);
}
inline ssize_t sendfile(int to, int from, off_t* offset, std::size_t size) noexcept {
  return fails(SystemCall::sendfile, size, to) ? -1 : ::sendfile(to, from, offset, size);
}
inline int setsockopt(int fd, int level, int number, const void* value, socklen_t size) noexcept {
  return fails(SystemCall::setsockopt) ? -1 : ::setsockopt(fd, level, number, value, size);
}
inline int shutdown(int fd, int how) noexcept { return fails(SystemCall::shutdown) ? -1 : ::shutdown(fd, how); }
inline int socket(int family, int type, int protocol) noexcept {
  return fails(SystemCall::socket) ? -1 : ::socket(family, type, protocol);
}
inline int socketpair(int family, int type, int protocol, int* ends) noexcept {
  return fails(SystemCall::socketpair) ? -1 : ::socketpair(family, type, protocol, ends);
}
inline ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t size,
                      unsigned flags) noexcept {
  return fails(SystemCall::splice, size, to) ? -1 : ::splice(from, from_offset, to, to_offset, size, flags);
}
inline bool thread_create_fails() noexcept { return fails(SystemCall::thread_create); }
inline int waitid(idtype_t kind, id_t id, siginfo_t* info, int options) noexcept {
  return fails(SystemCall::waitid) ? -1 : ::waitid(kind, id, info, options);
}
inline ssize_t write(int fd, const void* from, std::size_t size) noexcept {
  return fails(SystemCall::write, size, fd) ? -1 : ::write(fd, from, size);
}
inline ssize_t writev(int fd, const iovec* parts, int count) noexcept {
  const auto all = static_cast<std::size_t>(count);
  const std::size_t whole = Parts::total(parts, all);
  std::size_t size = whole;
  if (fails(SystemCall::write, size, fd)) return -1;
  if (size == whole) return ::writev(fd, parts, count);
  Parts part(parts, all, size);
  return ::writev(fd, part.data(), static_cast<int>(part.size()));
}

}  // namespace hawser::detail::sys

#endif
