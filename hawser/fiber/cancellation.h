// Cancellation: a fiber that was asked to stop (Task::kill, a failing TaskGroup) gets Cancelled from its next blocking
// call, and its destructors run. Shield holds that back for a scope in which a half-done thing must be finished.
#pragma once

#include <cstdint>

namespace hawser {

class Shield {
 public:
  Shield() noexcept;
  Shield(const Shield&) = delete;
  Shield& operator=(const Shield&) = delete;
  ~Shield();
};

// True when the current fiber was asked to stop, shielded or not. Always false on a plain thread.
[[nodiscard]] bool cancel_requested() noexcept;

// Throws Cancelled when the current fiber was asked to stop and is not shielded; throws DeadlineExceeded when a
// Deadline scope around the caller has passed. For long computations between blocking calls.
void check_cancelled();

}  // namespace hawser
