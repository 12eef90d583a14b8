#include <hawser/serve/open_entrances.h>

#include <unistd.h>

#include <mutex>
#include <utility>
#include <vector>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>

namespace hawser::detail {
namespace {

struct Numbers {
  Numbers() { hold_over_fork(mutex, ForkOrder::inner, nullptr, nullptr); }
  std::mutex mutex;
  std::vector<int> fds;
};

constinit MadeOnce<Numbers> g_numbers;
[[maybe_unused]] const bool g_made_early = (g_numbers.get(), true);

}  // namespace

OpenEntrance::OpenEntrance(int fd) : fd_(fd) {
  if (fd < 0) return;
  Numbers& numbers = g_numbers.get();
  const std::lock_guard hold(numbers.mutex);
  numbers.fds.push_back(fd);
}

OpenEntrance& OpenEntrance::operator=(OpenEntrance&& other) noexcept {
  if (this == &other) return *this;
  forget();
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

void OpenEntrance::forget() noexcept {
  Numbers& numbers = g_numbers.get();
  const std::lock_guard hold(numbers.mutex);
  if (fd_ >= 0) std::erase(numbers.fds, std::exchange(fd_, -1));
}

void close_open_entrances() noexcept {
  Numbers& numbers = g_numbers.get();
  const std::lock_guard hold(numbers.mutex);
  for (const int fd : numbers.fds) ::close(fd);
  numbers.fds.clear();
}

}  // namespace hawser::detail
