// WaitGraph: which context waits for which lock or task, as long as tracking is on, and who holds that. Internal; what
// users see of it is <hawser/sync/deadlock.h>.
//
// The holder is noted in the lock itself, by an atomic write of the holder's own; only waits are entered here, under
// one mutex. Of the waits that form a circle one is entered last, and that one sees all the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/fiber/identity.h>

namespace hawser::detail {

class TaskState;

extern constinit std::atomic<bool> g_waits_tracked;

[[nodiscard]] inline bool waits_are_tracked() noexcept { return g_waits_tracked.load(std::memory_order_relaxed); }

// What is waited for. All of it outlives the wait.
struct Wanted {
  enum class Kind : std::uint8_t { lock, task, main };  // main: by run() itself, of interest only in a circle
  Kind kind;
  const char* name;  // of a lock; may be null
  const void* address;
  const std::atomic<Identity>& holder;  // 0: nobody that is known
};

// One wait of the current context, while it lives.
class TrackedWait {
 public:
  enum class Raise : std::uint8_t { allowed, never };
  // gives_up: the wait has a timeout of its own. Reports the circle that it closes, if any; throws DeadlockDetected
  // when that was asked for and is allowed.
  TrackedWait(const Wanted& wanted, bool gives_up, Raise raise);
  TrackedWait(const TrackedWait&) = delete;
  TrackedWait& operator=(const TrackedWait&) = delete;
  ~TrackedWait();

 private:
  friend class WaitGraph;
  Wanted wanted_;
  bool gives_up_;
  Identity who_;
  TrackedWait* next_ = nullptr;
  TrackedWait* previous_ = nullptr;
};

// For a context that has acquired a tracked lock: makes its name known to reports and returns its identity.
[[nodiscard]] Identity introduce_holder() noexcept;
// The same for a task that somebody waits for.
void introduce_task(TaskState& task) noexcept;
// "fiber 'Wu'", as reports call it.
[[nodiscard]] std::string name_holder(Identity who);
// The task with this identity has another name; it has ended. Nothing happens when it was never introduced.
void rename_holder(Identity who, std::string_view name) noexcept;
void forget_holder(Identity who) noexcept;

void track_waits(bool on, bool raise) noexcept;
// Each circle there is now, a line each; and all waits there are, circles first.
[[nodiscard]] std::vector<std::string> wait_circles();
[[nodiscard]] std::string wait_report();

}  // namespace hawser::detail
