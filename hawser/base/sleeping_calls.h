// The system calls that sleep. Internal.
//
// Each is the C library's own, but under the thread sanitizer. That one puts a signal handler off until the thread next
// leaves a call which it intercepts, and forgets that what comes then may sleep for ever: a handler that asks a server
// to stop would be run once the next client came. There signals are held back by the kernel on the way into the sleep
// and let in by the sleep itself, as by pselect(2), so that none is put off.
#pragma once

#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#ifdef __SANITIZE_THREAD__
#include <linux/io_uring.h>

#include <algorithm>

#include <hawser/base/held_signals.h>
#endif

namespace hawser::detail::sleeping {

inline long raw_futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t value, const timespec* wait) noexcept {
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, wait, nullptr, 0);
}
inline int raw_epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* wait,
                            const sigset_t* mask) noexcept {
  return static_cast<int>(::syscall(SYS_epoll_pwait2, epoll, events, most, wait, mask, mask ? _NSIG / 8 : 0));
}
inline int raw_io_uring_enter(int ring, unsigned submit, unsigned wait_for, unsigned flags, const void* argument,
                              std::size_t size) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_enter, ring, submit, wait_for, flags, argument, size));
}

#ifndef __SANITIZE_THREAD__

using ::epoll_wait;
using ::poll;
using ::ppoll;

inline int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* wait) noexcept {
  return raw_epoll_pwait2(epoll, events, most, wait, nullptr);
}
inline int io_uring_enter(int ring, unsigned submit, unsigned wait_for, unsigned flags, const void* argument,
                          std::size_t size) noexcept {
  return raw_io_uring_enter(ring, submit, wait_for, flags, argument, size);
}
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t value, const timespec* wait) noexcept {
  raw_futex_wait(word, value, wait);
}

#else

// What was put off before runs as the signals are held, what came in between as they are let go: pthread_sigmask() is a
// call that the sanitizer intercepts.

inline int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) noexcept {
  if (milliseconds == 0) return ::epoll_wait(epoll, events, most, 0);
  const HeldSignals held;
  return ::epoll_pwait(epoll, events, most, milliseconds, held.mask());
}
inline int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* wait) noexcept {
  const HeldSignals held;
  return raw_epoll_pwait2(epoll, events, most, wait, held.mask());
}
inline int ppoll(pollfd* watched, nfds_t count, const timespec* wait, const sigset_t* mask) noexcept {
  const HeldSignals held;
  return ::ppoll(watched, count, wait, mask ? mask : held.mask());
}
inline int poll(pollfd* watched, nfds_t count, int milliseconds) noexcept {
  if (milliseconds == 0) return ::poll(watched, count, 0);
  const timespec wait{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000L};
  return sleeping::ppoll(watched, count, milliseconds < 0 ? nullptr : &wait, nullptr);
}
inline int io_uring_enter(int ring, unsigned submit, unsigned wait_for, unsigned flags, const void* argument,
                          std::size_t size) noexcept {
  if (wait_for == 0 || size != sizeof(io_uring_getevents_arg)) {
    return raw_io_uring_enter(ring, submit, wait_for, flags, argument, size);
  }
  const HeldSignals held;
  io_uring_getevents_arg masked = *static_cast<const io_uring_getevents_arg*>(argument);
  masked.sigmask = reinterpret_cast<std::uint64_t>(held.mask());
  masked.sigmask_sz = _NSIG / 8;
  return raw_io_uring_enter(ring, submit, wait_for, flags, &masked, size);
}
// futex(2) takes no mask: it sleeps for short times, between which handlers that were put off run. May return early.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t value, const timespec* wait) noexcept {
  timespec slice{.tv_sec = 0, .tv_nsec = 20'000'000};
  if (wait && wait->tv_sec == 0) slice.tv_nsec = std::min(slice.tv_nsec, wait->tv_nsec);
  raw_futex_wait(word, value, &slice);
  const HeldSignals held;
}

#endif

}  // namespace hawser::detail::sleeping
