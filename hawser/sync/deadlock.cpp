#include <hawser/sync/deadlock.h>

#include <hawser/fiber/wait_graph.h>
#include <hawser/sync/lock.h>

namespace hawser {

void set_lock_tracking(bool on, OnDeadlock then) {
  detail::track_waits(on, then == OnDeadlock::raise);
  Lock::follow_tracking();
}

bool lock_tracking() noexcept { return detail::waits_are_tracked(); }

std::vector<std::string> find_deadlocks() { return detail::wait_circles(); }

std::string deadlock_report() { return detail::wait_report(); }

}  // namespace hawser
