// Deadlock detection: who waits for what held by whom, with the names of fibers, threads and locks.
//
//   set_lock_tracking(true);  ...  std::puts(deadlock_report().c_str());
//
//   deadlock: fiber 'Lin' waits for lock 'fork' held by fiber 'Wu', who waits for lock 'noodles' held by fiber 'Lin'
//
// While tracking is on, every Lock and RLock notes who holds it, and a wait that closes a circle (also one through the
// join of a task) is reported at once: logged or, when asked for, thrown as DeadlockDetected. Tracking is on from the
// start in debug builds of the library (no NDEBUG); otherwise it is off, and costs nothing. Fibers are named by
// set_fiber_name() and Task::set_name(), threads by pthread_setname_np(3), locks by their constructor.
//
// A lock that one context acquires and another one releases looks held by the former, so a circle through it may be
// none. What waits for anything but a lock or a task (an Event, a Queue, a socket) waits for no holder and closes no
// circle.
//
// Every call from any thread or fiber.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/base/errors.h>

namespace hawser {

enum class OnDeadlock : std::uint8_t {
  report,  // log a line, and wait
  raise,   // log a line, and throw DeadlockDetected in place of waiting, unless some wait of the circle has a timeout
};

// Locks that are held at that moment have an unknown holder until they are acquired again.
void set_lock_tracking(bool on, OnDeadlock then = OnDeadlock::report);
[[nodiscard]] bool lock_tracking() noexcept;

// Each circle there is now, as one line like the one above.
[[nodiscard]] std::vector<std::string> find_deadlocks();

// The circles, then every other wait for a lock or a task, a line each; empty when nobody waits for one.
[[nodiscard]] std::string deadlock_report();

}  // namespace hawser
