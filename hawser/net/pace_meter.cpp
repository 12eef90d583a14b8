#include <hawser/net/pace_meter.h>

#include <cmath>
#include <mutex>
#include <stdexcept>

namespace hawser::detail {
namespace {

std::uint64_t bytes_in(const LeastPace& least) {
  if (least.window <= Duration::zero()) throw std::invalid_argument("the window of a least pace must be positive");
  const double seconds = std::chrono::duration<double>(least.window).count();
  return static_cast<std::uint64_t>(std::ceil(static_cast<double>(least.bytes_per_second) * seconds));
}

}  // namespace

PaceMeter::PaceMeter(const LeastPace& least) : least_(least), bytes_a_window_(bytes_in(least)) {}

Expiry PaceMeter::begin() noexcept {
  const auto now = Clock::now();
  const std::lock_guard hold(lock_);
  if (waiting_++ == 0) since_ = now;
  return Expiry::at(since_ + (least_.window - waited_));
}

void PaceMeter::end() noexcept {
  const auto now = Clock::now();
  const std::lock_guard hold(lock_);
  if (--waiting_ == 0) waited_ += now - since_;
}

bool PaceMeter::kept() noexcept {
  const auto now = Clock::now();
  const std::lock_guard hold(lock_);
  const Duration waited = waited_ + (waiting_ > 0 ? now - since_ : Duration::zero());
  if (waited < least_.window) return true;
  if (moved_.exchange(0, std::memory_order_relaxed) < bytes_a_window_) return false;
  waited_ = Duration::zero();
  since_ = now;
  return true;
}

}  // namespace hawser::detail
