// Backtrace: the return addresses of a flow of control, innermost first. Internal. symbols.h turns them into names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser::detail {

class Flow;
struct Stack;

class Backtrace {
 public:
  static constexpr std::size_t kMost = 40;

  // The caller's own; in a signal handler, that of what was interrupted. Async-signal-safe once prepare() has run.
  void take() noexcept;
  // That of a suspended flow, from the place where it was left. On the thread that switches to it, and only while it is
  // suspended. Nothing when the stack has too little room left to look from.
  void take_from(const Flow& flow, const Stack& stack) noexcept;

  [[nodiscard]] std::span<const std::uintptr_t> frames() const noexcept { return {frames_.data(), count_}; }

  // Loads what the unwinder loads at its first use.
  static void prepare() noexcept;

 private:
  static void unwind(void* into);
  static int visit(void* context, void* into);

  std::array<std::uintptr_t, kMost> frames_;
  std::size_t count_ = 0;
};

}  // namespace hawser::detail
