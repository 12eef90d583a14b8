#include <hawser/fiber/task.h>

namespace hawser {

bool AnyTask::join(Timeout timeout) const { return state().join(Expiry::of(timeout)); }

void AnyTask::kill() const noexcept { state().kill(); }

std::exception_ptr AnyTask::exception() const noexcept {
  if (!ready()) return nullptr;
  state().mark_error_seen();
  return state().error();
}

void join_all(std::span<const AnyTask> tasks) {
  for (const AnyTask& task : tasks) task.join();
}

}  // namespace hawser
