// FileFeed: reads a file from front to back without ever blocking the loop on the disk. Internal to the floor.
//
// What the page cache holds is read on the spot (preadv2(2) with RWF_NOWAIT); what it does not is read on an offload
// thread, which also asks the kernel to fetch the next stretch, so that the disk works while the caller encrypts and
// sends. The descriptor is borrowed; its own position is neither used nor moved.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace hawser::detail {

class FileFeed {
 public:
  FileFeed(int file, std::uint64_t offset, std::uint64_t count);

  // Fills `into`, unless the file or the count ends first; 0 then. Throws SystemError, DeadlineExceeded, Cancelled.
  std::size_t read(std::span<std::byte> into);

 private:
  enum class How {
    cached,     // try the page cache first
    in_memory,  // the whole file system is memory
    offloaded,  // the file system cannot tell what is cached
  };
  ssize_t read_here(std::span<std::byte> into, int flags) const;
  std::size_t read_elsewhere(std::span<std::byte> into) const;

  int file_;
  std::uint64_t offset_;
  std::uint64_t left_;
  How how_;
};

}  // namespace hawser::detail
