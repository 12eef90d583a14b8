#include <hawser/fiber/identity.h>

#include <atomic>

#include <hawser/fiber/context.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/wait_graph.h>

namespace hawser::detail {

Identity fresh_identity() noexcept {
  static std::atomic<Identity> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Identity current_identity() noexcept {
  if (const Fiber* fiber = Context::current_fiber()) return fiber->task->identity();
  thread_local const Identity own = fresh_identity();
  return own;
}

}  // namespace hawser::detail
