#include "cli/listing_limit.h"

#include <fmt/format.h>

#include "cli/failure.h"

namespace hawser::cli {

void ListingLimit::count(std::size_t entries, std::uint64_t bytes) {
  constexpr std::uint64_t kFrame = 64;  // a frame without entries costs time, too, and may not come for ever
  entries_ += entries;
  bytes_ += bytes + kFrame;
  if (entries_ > kMostEntries)
    throw FinalFailure(
        fmt::format("the hub lists more than {} entries; name fewer folders, or smaller ones", kMostEntries));
  if (bytes_ > kMostBytes)
    throw FinalFailure(
        fmt::format("the hub lists more than {} MiB of names; name fewer folders, or smaller ones", kMostBytes >> 20));
}

}  // namespace hawser::cli
