// What the native door's commands work with. The services outlive the door.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <stop_token>

#include "hub/service/accounts.h"
#include "hub/service/commands.h"
#include "hub/service/files.h"

namespace hawser::hub {

struct NativeServices {
  Accounts& accounts;
  Files& files;
  Commands& commands;
  // Requested when the hub cuts what is left: ends long work on the disk.
  std::stop_token cut;
};

// The memory that large uploads at the door share: two pieces for each, large ones while there is enough, and the
// smallest for any number of those that come late.
class TransferBudget {
 public:
  static constexpr std::size_t kTotal = std::size_t{32} << 20;
  // One piece is received while the one before is hashed and written. Large, for a hand-over to the pool costs more
  // than a large piece loses in the caches.
  static constexpr std::size_t kLargestPiece = std::size_t{4} << 20;
  static constexpr std::size_t kSmallestPiece = std::size_t{64} << 10;

  class Share {
   public:
    explicit Share(TransferBudget& budget) noexcept : budget_(budget) {
      std::size_t taken = budget_.taken_.load(std::memory_order_relaxed);
      do {
        // Half of what is left, for its two pieces.
        piece_ = std::clamp((kTotal - std::min(taken, kTotal)) / 4, kSmallestPiece, kLargestPiece);
      } while (!budget_.taken_.compare_exchange_weak(taken, taken + 2 * piece_, std::memory_order_relaxed));
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.taken_.fetch_sub(2 * piece_, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t piece() const noexcept { return piece_; }

   private:
    TransferBudget& budget_;
    std::size_t piece_;
  };

 private:
  std::atomic<std::size_t> taken_{0};
};

}  // namespace hawser::hub
