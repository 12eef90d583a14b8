// Waiter: parks the current context, be it a fiber (another fiber runs) or a plain thread (futex), and is woken from
// anywhere. It is the base of every blocking call: locks, queues, tasks and sockets are built on it, which is why each
// of them works in a fiber, in a thread, and between the two.
//
// One Waiter serves one wait of the context that made it, on that context's stack:
//
//   Waiter waiter;
//   enqueue(&waiter);                      // under the object's own lock
//   Wake why = waiter.park(expiry);        // ready: somebody called unpark()
//   if (why != Wake::ready && !dequeue(&waiter)) why = Wake::ready;  // lost the race: somebody had chosen us already
//
// Lifetime: unpark() touches the Waiter only up to its atomic exchange, so whoever takes a Waiter off a list under the
// list's lock may unpark it there. A waiter that leaves early takes itself off that list under the same lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <hawser/base/clock.h>

namespace hawser {

namespace detail {
class Context;
}

// Why park() came back.
enum class Wake : std::uint8_t {
  ready,      // unpark() was called
  expired,    // the expiry given to park() passed
  deadline,   // a Deadline scope around the wait ran out first
  cancelled,  // the fiber was asked to stop
};

class Waiter {
 public:
  // Binds to the current context. `what` names what is waited for, for dumps; it must be a literal or outlive the wait.
  explicit Waiter(const char* what = "wait") noexcept;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Waits until unpark(), the expiry, the nearest Deadline scope or a cancellation. When unpark() came first, returns
  // ready at once. Spurious returns do not happen. After a return other than ready, unpark() may still come and is
  // harmless as long as the Waiter lives. May be called again after it returned. Never throws: the caller turns the
  // reason into its own error (see throw_unless_ready).
  [[nodiscard]] Wake park(Expiry expiry = Expiry::never()) noexcept;

  // The same, but neither deadlines nor cancellation end it: for clean-up that must finish.
  void park_uninterrupted() noexcept;

  // Makes park() return ready, now or when it is called. From any thread or fiber, async-signal-unsafe, never blocks.
  // Returns false when the wait had already ended for another reason.
  bool unpark() noexcept;

  [[nodiscard]] const char* what() const noexcept { return what_; }

 private:
  friend class detail::Context;
  friend class Loop;
  enum State : std::uint32_t { kIdle, kParked, kReady, kExpired, kDeadline, kCancelled };

  Wake park_thread(Expiry expiry, bool interruptible) noexcept;
  Wake park_fiber(Expiry expiry, bool interruptible) noexcept;
  // Ends the wait for another reason, from the context's own loop. False when it had ended already.
  bool interrupt(State why) noexcept;

  std::atomic<std::uint32_t> state_{kIdle};
  detail::Context* context_;
  const char* what_;
};

// Turns a reason into the matching error: TimedOut, DeadlineExceeded or Cancelled, saying `operation` timed out.
void throw_unless_ready(Wake why, std::string_view operation);

}  // namespace hawser
