#include <hawser/sync/detail/task_count.h>

#include <stdexcept>

namespace hawser::detail {

void TaskCount::done() {
  auto word = cell_.word().load(std::memory_order_relaxed);
  while (!(word & (WaitCell::kBusy | WaitCell::kWaiters)) && word / WaitCell::kOne < made_.load()) {
    if (cell_.word().compare_exchange_weak(word, word + WaitCell::kOne, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
      return;
    }
  }
  const auto before = cell_.enter();
  const auto made = made_.load();
  if (before >= made) {
    cell_.leave(before);
    throw std::logic_error("task_done() called more often than items were put");
  }
  if (before + 1 == made) cell_.wake_all(true);
  cell_.leave(before + 1);
}

void TaskCount::abandon(std::uint64_t count) noexcept {
  const auto before = cell_.enter();
  abandoned_ = true;
  cell_.wake_all(true);
  cell_.leave(before + count);
}

bool TaskCount::join(Expiry expiry, const char* name) {
  const auto done = cell_.enter();
  if (abandoned_ || done == made_.load()) {
    cell_.leave(done);
    return true;
  }
  WaitNode node("queue join", name);
  cell_.push_back(node);
  cell_.leave(done);
  const Wake why = cell_.wait(node, expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "queue join");
  return true;
}

}  // namespace hawser::detail
