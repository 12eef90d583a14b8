#include <hawser/fiber/as_completed.h>

#include <mutex>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {

Completions::Completions(std::vector<TaskRef> tasks) : entries_(tasks.size()), left_(tasks.size()) {
  for (const TaskRef& task : tasks)
    if (task->is_current()) throw std::logic_error("a task can't wait for itself");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Entry& entry = entries_[i];
    entry.owner = this;
    entry.task = std::move(tasks[i]);
    entry.ended = [](EndListener& self) noexcept {
      auto& ended = static_cast<Entry&>(self);
      ended.owner->has_ended(ended);
    };
    if (!entry.task->listen(entry)) has_ended(entry);
  }
}

Completions::~Completions() {
  // Returns only when nobody is in has_ended() for this entry any more: that happens under the task's lock.
  for (Entry& entry : entries_)
    if (entry.task) entry.task->stop_listening(entry);
}

void Completions::has_ended(Entry& entry) noexcept {
  std::lock_guard hold(lock_);
  (last_ ? last_->after : first_) = &entry;
  last_ = &entry;
  if (waiting_) std::exchange(waiting_, nullptr)->unpark();
}

Completions::Entry* Completions::pop() noexcept {
  Entry* entry = first_;
  if (!entry) return nullptr;
  first_ = entry->after;
  if (!first_) last_ = nullptr;
  --left_;
  return entry;
}

std::optional<std::size_t> Completions::next(Expiry expiry) {
  Waiter waiter("as_completed");
  const auto index = [this](const Entry* entry) { return static_cast<std::size_t>(entry - entries_.data()); };
  {
    std::lock_guard hold(lock_);
    if (const Entry* entry = pop()) return index(entry);
    waiting_ = &waiter;
  }
  const Wake why = waiter.park(expiry);
  {
    std::lock_guard hold(lock_);
    waiting_ = nullptr;
    if (const Entry* entry = pop()) return index(entry);
  }
  if (why == Wake::expired) return std::nullopt;
  throw_unless_ready(why, "as_completed");
  return std::nullopt;
}

void throw_unfinished(std::size_t left, std::size_t all) {
  throw TimedOut("as_completed: " + std::to_string(left) + " of " + std::to_string(all) + " tasks had not ended");
}

}  // namespace hawser::detail
