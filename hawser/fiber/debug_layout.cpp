#include <hawser/fiber/debug_layout.h>

#include <cstddef>

#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/waiter.h>

// The compilers we know lay these types out like any other.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace hawser::detail {

DebugLayout DebugLayout::make() noexcept {
  return {
      .version = 1,
      .newest_loop = &Loop::g_newest,
      .loop_made_before = offsetof(Loop, made_before_),
      .loop_index = offsetof(Loop, index_),
      .loop_running = offsetof(Loop, running_),
      .loop_live = offsetof(Loop, live_),
      .fiber_next_live = offsetof(Fiber, next_live),
      .fiber_saved_stack = offsetof(Fiber, saved_stack_),
      .fiber_task = offsetof(Fiber, task),
      .fiber_waiter = offsetof(Fiber, waiter),
      .task_name = offsetof(TaskState, name_),
      .waiter_what = offsetof(Waiter, what_),
      .waiter_fd = offsetof(Waiter, fd_),
      .waiter_state = offsetof(Waiter, state_),
  };
}

}  // namespace hawser::detail

extern "C" {
const hawser::detail::DebugLayout hawser_debug_layout = hawser::detail::DebugLayout::make();
}
