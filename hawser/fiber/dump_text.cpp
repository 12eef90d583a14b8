#include <hawser/fiber/dump_text.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <hawser/fiber/loop.h>
#include <hawser/fiber/symbols.h>

namespace hawser::detail {
namespace {

std::string_view state_word(FiberState state) {
  switch (state) {
    case FiberState::running:
      return "running";
    case FiberState::ready:
      return "ready";
    case FiberState::parked:
      return "parked";
    case FiberState::unstarted:
      return "not started";
  }
  return "";
}

// What parks, switches and takes dumps: the same in every stack.
bool is_machinery(std::string_view name) {
  if (name.starts_with("void ")) name.remove_prefix(5);
  return name.starts_with("hawser::detail::") || name.starts_with("hawser_") || name.starts_with("hawser::Waiter::") ||
         name.starts_with("hawser::dump_fibers") || name.starts_with("_Unwind_");
}

std::string quoted(const std::string& name) { return name.empty() ? "(unnamed)" : "'" + name + "'"; }

}  // namespace

std::string in_seconds(Duration length) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::max(length, Duration::zero())).count();
  return fmt::format("{}.{:03} s", ms / 1000, ms % 1000);
}

void append_stack(std::string& text, std::span<const std::uintptr_t> frames) {
  std::vector<std::string> names;
  for (const std::uintptr_t frame : frames) {
    names.push_back(symbol_at(frame));
    if (names.back().starts_with("hawser::detail::BodyState") ||
        names.back().starts_with("hawser::detail::TaskState::execute")) {
      names.pop_back();
      break;
    }
  }
  const auto first = std::find_if_not(names.begin(), names.end(), is_machinery);
  for (auto name = first; name != names.end(); ++name) text += "      " + *name + "\n";
}

void append_list(std::string& text, const FiberList& list) {
  const Clock::time_point now = Clock::now();
  text += fmt::format("loop {} ({}): {} fiber{}\n", list.loop, list.engine, list.fibers, list.fibers == 1 ? "" : "s");
  for (const FiberEntry& entry : list.entries) {
    text += fmt::format("  {} {}", quoted(entry.name), state_word(entry.state));
    if (entry.state == FiberState::parked) {
      text += fmt::format(" in {}", entry.waits_for);
      if (entry.fd >= 0) text += fmt::format(" (fd {})", entry.fd);
      text += fmt::format(", for {}", in_seconds(now - entry.since));
      if (entry.until != Clock::time_point::max())
        text += fmt::format(", at most {} more", in_seconds(entry.until - now));
    }
    if (entry.cancel_requested) text += ", asked to stop";
    text += "\n";
    append_stack(text, entry.stack);
  }
  if (list.fibers > list.entries.size()) {
    text += fmt::format("  and {} more\n", list.fibers - list.entries.size());
  }
}

void append_busy(std::string& text, const Loop& loop, const ProbedStack& probed, bool stacks) {
  text += fmt::format("loop {}: busy, has not come round for {}\n", loop.index(),
                      in_seconds(Clock::now() - loop.turn_began()));
  if (!probed.answered) {
    text += "  and does not take signals\n";
    return;
  }
  if (probed.in_fiber) text += fmt::format("  {} running\n", quoted(probed.fiber));
  if (stacks) append_stack(text, probed.stack);
}

}  // namespace hawser::detail
