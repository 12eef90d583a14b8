#include "hub/service/file_version.h"

#include <limits>

namespace hawser::hub {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

}  // namespace

std::int64_t nanoseconds_of(const timespec& time) noexcept {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / kBillion - 1;
  if (time.tv_sec > kMost) return std::numeric_limits<std::int64_t>::max();
  if (time.tv_sec < -kMost) return std::numeric_limits<std::int64_t>::min();
  return time.tv_sec * kBillion + time.tv_nsec;
}

timespec to_timespec(std::int64_t nanoseconds) noexcept {
  std::int64_t seconds = nanoseconds / kBillion;
  std::int64_t rest = nanoseconds % kBillion;
  if (rest < 0) {
    rest += kBillion;
    --seconds;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

FileVersion version_of(const struct stat& status) noexcept {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .mtime_ns = nanoseconds_of(status.st_mtim),
          .ctime_ns = nanoseconds_of(status.st_ctim)};
}

bool same_content(const struct stat& one, const struct stat& other) noexcept {
  return one.st_size == other.st_size && nanoseconds_of(one.st_mtim) == nanoseconds_of(other.st_mtim);
}

}  // namespace hawser::hub
