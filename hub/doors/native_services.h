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

// How many large uploads go on at the door. They share a budget, so that memory stays bounded however many there are.
class TransferBudget {
 public:
  static constexpr std::size_t kTotal = std::size_t{32} << 20;
  static constexpr std::size_t kLargestPiece = std::size_t{512} << 10;
  static constexpr std::size_t kSmallestPiece = std::size_t{64} << 10;

  class Share {
   public:
    explicit Share(TransferBudget& budget) noexcept : budget_(budget) {
      const std::size_t sharers = budget_.sharers_.fetch_add(1, std::memory_order_relaxed) + 1;
      // Each holds two pieces.
      piece_ = std::clamp(kTotal / (2 * sharers), kSmallestPiece, kLargestPiece);
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.sharers_.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] std::size_t piece() const noexcept { return piece_; }

   private:
    TransferBudget& budget_;
    std::size_t piece_;
  };

 private:
  std::atomic<std::size_t> sharers_{0};
};

}  // namespace hawser::hub
