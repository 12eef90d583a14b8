// DiskUse: what a tree of files takes.
#pragma once

#include <cstdint>

namespace hawser::hub {

struct DiskUse {
  std::uint64_t bytes = 0;  // sizes of the files; a file with two names counts twice
  std::uint64_t files = 0;  // links and special files included
  std::uint64_t dirs = 0;
};

}  // namespace hawser::hub
