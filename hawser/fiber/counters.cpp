#include <hawser/fiber/counters.h>

#include <algorithm>

#include <hawser/fiber/loop.h>

namespace hawser {
namespace {

using Count = std::uint64_t LoopCounters::*;

constexpr Count kCounts[] = {
    &LoopCounters::switches,       &LoopCounters::parks,         &LoopCounters::wakes_here,
    &LoopCounters::wakes_across,   &LoopCounters::turns,         &LoopCounters::polls,
    &LoopCounters::sleeps,         &LoopCounters::submits,       &LoopCounters::engine_calls,
    &LoopCounters::timers_started, &LoopCounters::timers_fired,  &LoopCounters::tasks,
    &LoopCounters::unstarted,      &LoopCounters::fibers_live,   &LoopCounters::fibers_idle,
    &LoopCounters::fibers_created, &LoopCounters::stacks_mapped, &LoopCounters::stacks_free,
};
static_assert(sizeof(LoopCounters) == (1 + std::size(kCounts)) * sizeof(std::uint64_t));

}  // namespace

RuntimeCounters runtime_counters() {
  RuntimeCounters all;
  for (const detail::Loop* loop = detail::Loop::newest(); loop; loop = loop->made_before()) {
    if (!loop->abandoned()) all.loops.push_back(loop->counters());
  }
  std::reverse(all.loops.begin(), all.loops.end());
  for (const LoopCounters& one : all.loops) {
    for (const Count count : kCounts) all.total.*count += one.*count;
  }
  return all;
}

}  // namespace hawser
