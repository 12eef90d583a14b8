// How a dump reads: lists of fibers and stacks as text. Internal.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/fiber/fiber_list.h>
#include <hawser/fiber/stack_probe.h>

namespace hawser::detail {

void append_list(std::string& text, const FiberList& list);
// A loop that did not answer; `probed` is what its thread said.
void append_busy(std::string& text, const Loop& loop, const ProbedStack& probed, bool stacks);
// One function a line, without the runtime's own at both ends.
void append_stack(std::string& text, std::span<const std::uintptr_t> frames);
// "1.234 s"
[[nodiscard]] std::string in_seconds(Duration length);

}  // namespace hawser::detail
