#include <hawser/fiber/task.h>

#include <hawser/fiber/cancellation.h>

namespace hawser {

bool AnyTask::join(Timeout timeout) const { return state().join(Expiry::of(timeout)); }

void AnyTask::kill() const noexcept { state().kill(); }

bool AnyTask::kill_and_join(Timeout timeout) const {
  const Expiry expiry = Expiry::of(timeout);
  kill();
  if (state().is_current()) check_cancelled();
  return state().join(expiry);
}

std::exception_ptr AnyTask::exception() const noexcept {
  if (!ready()) return nullptr;
  state().mark_error_seen();
  return state().error();
}

}  // namespace hawser
