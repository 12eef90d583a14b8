#include "hub/service/home_use.h"

#include <algorithm>

#include <hawser/base/errors.h>

#include "hub/service/tree_walk.h"

namespace hawser::hub {
namespace {

constexpr std::chrono::seconds kRemember{10};

}  // namespace

DiskUse disk_use(const Home& home, const Path& path, const std::stop_token& stop) {
  const struct stat status = home.status(path);
  if (!S_ISDIR(status.st_mode)) return {.bytes = static_cast<std::uint64_t>(status.st_size), .files = 1, .dirs = 0};
  DiskUse use{.bytes = 0, .files = 0, .dirs = 1};
  TreeWalk walk(home.directory(path), path.shown(), {});
  TreeWalk::Step step;
  while (walk.next(step)) {
    if (stop.stop_requested()) throw Cancelled("du: cancelled");
    if (S_ISDIR(step.status.st_mode)) {
      ++use.dirs;
      continue;
    }
    ++use.files;
    if (S_ISREG(step.status.st_mode)) use.bytes += static_cast<std::uint64_t>(step.status.st_size);
  }
  return use;
}

std::unique_lock<std::mutex> HomeUse::lock(const std::string& user) {
  std::mutex* of_user = nullptr;
  {
    const std::lock_guard hold(mutex_);
    of_user = &locks_[user];
  }
  return std::unique_lock(*of_user);
}

std::uint64_t HomeUse::bytes_of(const std::string& user, const Home& home, bool fresh) {
  if (!fresh) {
    const std::lock_guard hold(mutex_);
    const auto known = counted_.find(user);
    if (known != counted_.end() && Clock::now() - known->second.at < kRemember) return known->second.bytes;
  }
  const std::uint64_t bytes = disk_use(home, {}, {}).bytes;
  const std::lock_guard hold(mutex_);
  counted_.insert_or_assign(user, Counted{bytes, Clock::now()});
  return bytes;
}

void HomeUse::replaced(const std::string& user, std::uint64_t replaced, std::uint64_t size) noexcept {
  const std::lock_guard hold(mutex_);
  const auto known = counted_.find(user);
  if (known == counted_.end()) return;
  std::uint64_t& bytes = known->second.bytes;
  bytes = bytes - std::min(bytes, replaced) + size;
}

}  // namespace hawser::hub
