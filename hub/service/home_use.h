// HomeUse: how many bytes each home holds, for quotas. Counted by walking the home, remembered for a few seconds and
// corrected by what comes in meanwhile; counted anew before anything is refused. Any thread; blocks on the disk.
//
// Whoever checks a quota holds lock() from the look at what is there until its own claim is one of those that the next
// one sees, and so does whoever turns a claim into a file: what is counted stands still meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include <hawser/base/clock.h>

#include "hub/service/disk_use.h"
#include "hub/service/home.h"

namespace hawser::hub {

// Throws ServiceError, Cancelled.
[[nodiscard]] DiskUse disk_use(const Home& home, const Path& path, const std::stop_token& stop);

class HomeUse {
 public:
  // One at a time a user.
  [[nodiscard]] std::unique_lock<std::mutex> lock(const std::string& user);
  [[nodiscard]] std::uint64_t bytes_of(const std::string& user, const Home& home, bool fresh);
  // A file of `size` bytes took the place of one of `replaced` bytes.
  void replaced(const std::string& user, std::uint64_t replaced, std::uint64_t size) noexcept;

 private:
  struct Counted {
    std::uint64_t bytes = 0;
    Clock::time_point at;
  };
  std::mutex mutex_;
  std::map<std::string, Counted, std::less<>> counted_;
  std::map<std::string, std::mutex, std::less<>> locks_;
};

}  // namespace hawser::hub
