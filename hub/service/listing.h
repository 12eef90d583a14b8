// Listing: the entries of a directory, or of everything below it, a chunk at a time. Memory is bounded by the chunk and
// the depth, not by the number of entries.
//
//   Listing listing = files.list(session, path, true);
//   while (auto chunk = listing.next(500); !chunk.empty()) send(chunk);
//
// Order is the file system's; a directory comes before what is in it; links are shown and not followed. What vanishes
// meanwhile is left out. Holds a descriptor a level, at most Path::kMaxParts. One thread at a time; next() blocks on
// the disk.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <vector>

#include "hub/service/entry.h"

namespace hawser::hub {

class TreeWalk;

class Listing {
 public:
  explicit Listing(std::unique_ptr<TreeWalk> walk);
  Listing(Listing&&) noexcept;
  Listing& operator=(Listing&&) noexcept;
  ~Listing();

  // Up to limit entries; empty at the end. Throws ServiceError, Cancelled when stop was requested.
  [[nodiscard]] std::vector<Entry> next(std::size_t limit, const std::stop_token& stop = {});

 private:
  std::unique_ptr<TreeWalk> walk_;
};

}  // namespace hawser::hub
