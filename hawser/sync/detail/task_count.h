// TaskCount: how many of the items that went through a queue are done, and who waits until all are.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser::detail {

class TaskCount {
 public:
  // `made` counts every item ever put and outlives this.
  explicit TaskCount(const std::atomic<std::uint64_t>& made) noexcept : made_(made) {}

  // Throws std::logic_error when all were done already.
  void done();
  // These will never be done; frees all who wait, now and later.
  void abandon(std::uint64_t count) noexcept;
  // False when the expiry came first. name: of the queue, for dumps. Throws DeadlineExceeded, Cancelled.
  bool join(Expiry expiry, const char* name);

 private:
  WaitCell cell_;  // its value: how many are done
  const std::atomic<std::uint64_t>& made_;
  bool abandoned_ = false;  // guarded by the cell
};

}  // namespace hawser::detail
