// Runtime: one call of run(): its loops, and how they end together. Internal.
#pragma once

#include <atomic>
#include <vector>

#include <hawser/fiber/loop.h>

namespace hawser::detail {

class Runtime {
 public:
  explicit Runtime(std::vector<Loop*> loops) : loops_(std::move(loops)), busy_(static_cast<int>(loops_.size())) {}

  [[nodiscard]] int size() const noexcept { return static_cast<int>(loops_.size()); }
  [[nodiscard]] Loop& loop(int index) const { return *loops_.at(static_cast<std::size_t>(index)); }

  // main has ended: fibers are cancelled and no new one starts.
  void stop() noexcept;
  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }
  // Said once by each loop when it has no fiber left and is stopping.
  void loop_is_empty() noexcept;
  // True when every loop has said so.
  [[nodiscard]] bool all_empty() const noexcept { return busy_.load(std::memory_order_acquire) == 0; }

 private:
  std::vector<Loop*> loops_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> busy_;
};

}  // namespace hawser::detail
