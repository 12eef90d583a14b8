// How large uploads share their memory.
#include <cstddef>
#include <list>

#include <gtest/gtest.h>

#include "hub/doors/native_services.h"

namespace hawser::hub {
namespace {

using Share = TransferBudget::Share;

TEST(transfer_budget, one_alone_gets_the_largest_pieces) {
  TransferBudget budget;
  EXPECT_EQ(Share(budget).piece(), TransferBudget::kLargestPiece);
  EXPECT_EQ(Share(budget).piece(), TransferBudget::kLargestPiece) << "what was given back is there again";
}

TEST(transfer_budget, many_stay_within_it_but_for_the_smallest_pieces) {
  TransferBudget budget;
  std::list<Share> shares;
  std::size_t before = TransferBudget::kLargestPiece;
  std::size_t sum = 0;
  for (int i = 0; i < 500; ++i) {
    const std::size_t piece = shares.emplace_back(budget).piece();
    EXPECT_LE(piece, before);
    EXPECT_GE(piece, TransferBudget::kSmallestPiece);
    if (piece > TransferBudget::kSmallestPiece) sum += 2 * piece;
    before = piece;
  }
  EXPECT_EQ(before, TransferBudget::kSmallestPiece);
  EXPECT_LE(sum, TransferBudget::kTotal);
  shares.clear();
  EXPECT_EQ(Share(budget).piece(), TransferBudget::kLargestPiece);
}

}  // namespace
}  // namespace hawser::hub
