// A bell: an eventfd(2) by which a thread that waits for descriptors hears of something else. Internal.
//
// It is readable from the first ring until it is silenced, however often it was rung; in epoll's edge mode each ring is
// an event of its own. None of these waits.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>

namespace hawser::detail {

// Throws SystemError when there is no descriptor to be had.
[[nodiscard]] inline UniqueFd make_bell() {
  UniqueFd bell(sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) throw_errno("eventfd", "");
  return bell;
}

// Async-signal-safe; errno stays as it is.
inline void ring_bell(int bell) noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(bell, &one, sizeof one);
  errno = saved;
}

inline void silence_bell(int bell) noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto read = ::read(bell, &rings, sizeof rings);
}

}  // namespace hawser::detail
