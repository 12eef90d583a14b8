// FiberList: what one loop says about its fibers. Internal. Taken by the loop's own thread, so that nothing moves;
// names of functions are looked up later by whoever asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/backtrace.h>

namespace hawser::detail {

class Loop;

enum class FiberState : std::uint8_t { running, ready, parked, unstarted };

struct FiberEntry {
  std::string name;
  FiberState state = FiberState::ready;
  std::string waits_for;  // what, and which
  int fd = -1;
  Clock::time_point since;
  Clock::time_point until = Clock::time_point::max();  // when its patience ends
  bool cancel_requested = false;
  std::vector<std::uintptr_t> stack;
};

struct FiberList {
  int loop = -1;
  std::string engine;
  std::size_t fibers = 0;  // all, also those left out
  std::vector<FiberEntry> entries;

  // On the loop's thread, inside a fiber or between fibers.
  static FiberList of(Loop& loop, std::size_t most, bool stacks);
};

}  // namespace hawser::detail
