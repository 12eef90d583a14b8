#include <hawser/sync/condition.h>

#include <stdexcept>
#include <string>

namespace hawser {

void Condition::need_lock(const char* operation) const {
  if (recursive_ ? !recursive_->owned() : !lock_.locked())
    throw std::logic_error(std::string(operation) + " on a condition whose lock is not held");
}

bool Condition::wait_until(Expiry expiry) {
  need_lock("wait");
  detail::WaitNode node("condition", name_);
  cell_.list(node);
  std::size_t depth = 0;
  if (recursive_) {
    depth = recursive_->unlock_wholly();
  } else {
    lock_.unlock();
  }
  const Wake why = cell_.wait(node, expiry);
  if (recursive_) {
    recursive_->lock_uninterrupted(depth);
  } else {
    lock_.lock_uninterrupted();
  }
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "condition wait");
  return true;
}

void Condition::notify(std::size_t count) {
  need_lock("notify");
  if (!cell_.has_waiters()) return;
  const auto value = cell_.enter();
  while (count-- > 0 && cell_.wake_first(false)) {
  }
  cell_.leave(value);
}

}  // namespace hawser
