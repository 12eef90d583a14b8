#include <hawser/fiber/completion_queue.h>

#include <mutex>
#include <string>
#include <utility>

#include <hawser/base/errors.h>

namespace hawser::detail {

CompletionQueue::CompletionQueue(std::size_t size, const char* wait, const char* things)
    : wait_(wait), things_(things), entries_(size), left_(size) {
  for (Entry& entry : entries_) {
    entry.owner = this;
    entry.ended = [](EndListener& self) noexcept {
      auto& ended = static_cast<Entry&>(self);
      ended.owner->has_ended(ended);
    };
  }
}

void CompletionQueue::has_ended(Entry& entry) noexcept {
  std::lock_guard hold(lock_);
  (last_ ? last_->after : first_) = &entry;
  last_ = &entry;
  if (waiting_) std::exchange(waiting_, nullptr)->unpark();
}

std::optional<std::size_t> CompletionQueue::pop() noexcept {
  if (!first_) return std::nullopt;
  const Entry* entry = first_;
  first_ = entry->after;
  if (!first_) last_ = nullptr;
  --left_;
  return static_cast<std::size_t>(entry - entries_.data());
}

std::optional<std::size_t> CompletionQueue::next(Expiry expiry) {
  Waiter waiter(wait_);
  {
    std::lock_guard hold(lock_);
    if (const auto index = pop()) return index;
    waiting_ = &waiter;
  }
  const Wake why = park(waiter, expiry);
  {
    std::lock_guard hold(lock_);
    waiting_ = nullptr;
    if (const auto index = pop()) return index;
  }
  if (why == Wake::expired) return std::nullopt;
  throw_unless_ready(why, wait_);
  return std::nullopt;
}

void CompletionQueue::throw_unfinished() const {
  throw TimedOut("as_completed: " + std::to_string(left_) + " of " + std::to_string(entries_.size()) + " " + things_ +
                 " had not ended");
}

}  // namespace hawser::detail
