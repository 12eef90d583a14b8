#include <hawser/base/clock.h>

#include <stdexcept>

namespace hawser {

Expiry Expiry::in(Duration length) {
  if (length < Duration::zero()) throw std::invalid_argument("a timeout must not be negative");
  const Clock::time_point now = Clock::now();
  if (length >= Clock::time_point::max() - now) return never();
  return at(now + length);
}

Timeout Expiry::left() const {
  if (is_never()) return std::nullopt;
  return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(when_ - Clock::now()));
}

}  // namespace hawser
