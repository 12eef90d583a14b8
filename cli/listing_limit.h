// ListingLimit: how much a hub may list to one command, which keeps all of it in memory.
//
// A hub that never comes to the end of a listing, or that has folders in folders for a pattern like */*/*, is no reason
// to fill this machine's memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::cli {

class ListingLimit {
 public:
  static constexpr std::uint64_t kMostEntries = 2'000'000;
  static constexpr std::uint64_t kMostBytes = 512 << 20;

  // Counts one frame of a listing, whose names and hashes have so many bytes. Throws FinalFailure (exit code 1) when it
  // is too much; the rest of the listing is still under way then.
  void count(std::size_t entries, std::uint64_t bytes);

 private:
  std::uint64_t entries_ = 0, bytes_ = 0;
};

}  // namespace hawser::cli
