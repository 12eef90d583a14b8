// How a fiber waits inside a patched call: for any descriptors, whoever owns them, by poll(2)'s events. Internal.
//
// Nothing here throws, since the caller is C: what ends a wait early is an errno.
//
//   ECANCELED   the fiber was asked to stop (Task::kill, a failing TaskGroup, the end of run())
//   ETIMEDOUT   a Deadline scope around the call has passed
//   EBADF       the descriptor was closed meanwhile
//
// A cancelled fiber, or one whose Deadline has passed, meets the same answer at its next wait, and other fibers run in
// between: a library that tries again and again holds nobody up.
#pragma once

#include <poll.h>

#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/context.h>

namespace hawser::patch {

// The fiber that makes the call; null on a plain thread and in a loop's own code, whose calls go straight on.
[[nodiscard]] inline detail::Fiber* caller() noexcept { return detail::Context::current_fiber(); }

enum class Outcome : std::uint8_t {
  ready,    // look again: something may have happened
  expired,  // the call's own time is over
  refused,  // errno says why
};

// In a fiber. call: its name, for dumps. Any number of fibers may wait for the same descriptor.
[[nodiscard]] Outcome wait_for(const char* call, int fd, short events, Expiry expiry) noexcept;
// Negative numbers are passed over, as in poll(2). refused also with ENOMEM; not with EBADF, which a look will tell.
[[nodiscard]] Outcome wait_for_any(const char* call, const pollfd* set, nfds_t count, Expiry expiry) noexcept;
// Only sleeps: expired in the end, or refused.
[[nodiscard]] Outcome pause_until(const char* call, Expiry expiry) noexcept;

// Whether a wait would be refused now; errno says why.
[[nodiscard]] bool is_to_stop() noexcept;

// The number is about to be closed: ends the waits for it, on whatever loop. From anywhere; when nobody waits for it
// this is one load.
void forget(int fd) noexcept;

// A moment so many seconds and nanoseconds from now; never, when that is beyond a lifetime.
[[nodiscard]] Expiry from_now(std::int64_t seconds, std::int64_t nanoseconds) noexcept;

}  // namespace hawser::patch
