// DebugLayout: where a debugger finds the fibers, in a program that was built without telling it about types. Internal;
// read by scripts/gdb_fibers.py. All numbers are 64 bits wide: offsets in bytes, but for the first two.
#pragma once

#include <cstdint>

namespace hawser::detail {

class Loop;

struct DebugLayout {
  std::uint64_t version;
  const void* newest_loop;  // the address of the pointer to it
  std::uint64_t loop_made_before;
  std::uint64_t loop_index;  // int
  std::uint64_t loop_running;
  std::uint64_t loop_live;
  std::uint64_t fiber_next_live;
  std::uint64_t fiber_saved_stack;
  std::uint64_t fiber_task;
  std::uint64_t fiber_waiter;
  std::uint64_t task_name;     // ends with a zero
  std::uint64_t waiter_what;   // char*
  std::uint64_t waiter_fd;     // int
  std::uint64_t waiter_state;  // uint32; 1: parked

  static DebugLayout make() noexcept;
};

}  // namespace hawser::detail

extern "C" const hawser::detail::DebugLayout hawser_debug_layout;
