#include <hawser/sync/semaphore.h>

#include <stdexcept>

namespace hawser {

using detail::WaitCell;

Semaphore::Semaphore(std::int64_t permits, const char* name)
    : cell_(static_cast<WaitCell::Word>(permits)), name_(name) {
  if (permits < 0 || permits > kMost) throw std::invalid_argument("a semaphore starts with 0 to 2^61 permits");
}

bool Semaphore::try_acquire() noexcept {
  auto word = cell_.word().load(std::memory_order_relaxed);
  while (word >= WaitCell::kOne && !(word & WaitCell::kBusy)) {
    if (cell_.word().compare_exchange_weak(word, word - WaitCell::kOne, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      return true;
    }
  }
  if (!(word & WaitCell::kBusy)) return false;
  const auto permits = cell_.enter();
  cell_.leave(permits ? permits - 1 : 0);
  return permits != 0;
}

bool Semaphore::acquire_slow(Expiry expiry) {
  if (const auto permits = cell_.enter()) {
    cell_.leave(permits - 1);
    return true;
  }
  detail::WaitNode node("semaphore", name_);
  cell_.push_back(node);
  cell_.leave(0);
  const Wake why = cell_.wait(node, expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "semaphore");
  return true;
}

bool Semaphore::give_back(std::int64_t count, std::int64_t most) {
  if (count < 1) throw std::invalid_argument("a semaphore is released at least once");
  if (count > most) return false;
  const auto more = static_cast<WaitCell::Word>(count);
  const auto room = static_cast<WaitCell::Word>(most) - more;
  auto word = cell_.word().load(std::memory_order_relaxed);
  while (!(word & (WaitCell::kBusy | WaitCell::kWaiters)) && word / WaitCell::kOne <= room) {
    if (cell_.word().compare_exchange_weak(word, word + more * WaitCell::kOne, std::memory_order_release,
                                           std::memory_order_relaxed)) {
      return true;
    }
  }
  auto permits = cell_.enter();
  if (permits > room) {
    cell_.leave(permits);
    return false;
  }
  permits += more;
  while (permits > 0 && cell_.wake_first(true)) --permits;
  cell_.leave(permits);
  return true;
}

void Semaphore::release(std::int64_t count) {
  if (!give_back(count, kMost)) throw std::overflow_error("a semaphore holds at most 2^61 permits");
}

void BoundedSemaphore::release(std::int64_t count) {
  if (!give_back(count, bound_)) throw std::logic_error("semaphore released more often than acquired");
}

}  // namespace hawser
