// Watchdog: reports a fiber that keeps its loop for too long without waiting or yielding, and so holds up all others.
//
//   hawser: warning: fiber 'import' has held loop 0 for 0.125 s without yielding:
//         parse_everything(std::string_view)
//         import(Socket&)
//   hawser: warning: fiber 'import' let go of loop 0 after 0.460 s
//
// One thread looks at all loops a few times within the threshold; what runs meanwhile is not slowed down and reads no
// clock. So durations are right to a quarter of the threshold, and a slice may last a quarter longer before it is seen.
// Each such slice is reported once, by log_line() (base/log.h), with the stack of the fiber, for which its thread gets
// a signal; and once more when it has ended, for then its length is known. On by default in builds with assertions and
// without a sanitizer, at 100 ms; off otherwise. What does not come to an end without the processor (a blocking system
// call) counts as well.
#pragma once

#include <hawser/base/clock.h>

namespace hawser {

inline constexpr Duration kWatchdogThreshold = std::chrono::milliseconds(100);

// From now on, for all loops of this process. Takes the place of an earlier threshold. Any thread. Throws
// std::invalid_argument for less than a millisecond, SystemError when no thread is to be had.
void start_watchdog(Duration threshold = kWatchdogThreshold);
// Returns when it has stopped.
void stop_watchdog() noexcept;

namespace detail {
// What run() does before its loops start.
void start_default_watchdog();
}  // namespace detail

}  // namespace hawser
