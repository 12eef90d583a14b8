#include <hawser/task/completion.h>

#include <mutex>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/fiber/waiter.h>
#include <hawser/task/waiting_worker.h>

namespace hawser::detail {

FutureEnds::FutureEnds(std::vector<StateRef<FutureState>> states) : entries_(states.size()), left_(states.size()) {
  for (std::size_t i = 0; i < states.size(); ++i) {
    Entry& entry = entries_[i];
    entry.owner = this;
    entry.state = std::move(states[i]);
    entry.ended = [](EndListener& self) noexcept {
      auto& ended = static_cast<Entry&>(self);
      ended.owner->has_ended(ended);
    };
    if (!entry.state->listen(entry)) has_ended(entry);
  }
}

FutureEnds::~FutureEnds() {
  // Returns only when nobody is in has_ended() for this entry any more: that happens under the state's lock.
  for (Entry& entry : entries_)
    if (entry.state) entry.state->stop_listening(entry);
}

void FutureEnds::has_ended(Entry& entry) noexcept {
  std::lock_guard hold(lock_);
  (last_ ? last_->after : first_) = &entry;
  last_ = &entry;
  if (waiting_) std::exchange(waiting_, nullptr)->unpark();
}

FutureEnds::Entry* FutureEnds::pop() noexcept {
  Entry* entry = first_;
  if (!entry) return nullptr;
  first_ = entry->after;
  if (!first_) last_ = nullptr;
  --left_;
  return entry;
}

std::optional<std::size_t> FutureEnds::next(Expiry expiry) {
  Waiter waiter("futures");
  const auto index = [this](const Entry* entry) { return static_cast<std::size_t>(entry - entries_.data()); };
  {
    std::lock_guard hold(lock_);
    if (const Entry* entry = pop()) return index(entry);
    waiting_ = &waiter;
  }
  Wake why;
  {
    const WaitingWorker others_may_have_to_help;
    why = waiter.park(expiry);
  }
  {
    std::lock_guard hold(lock_);
    waiting_ = nullptr;
    if (const Entry* entry = pop()) return index(entry);
  }
  if (why == Wake::expired) return std::nullopt;
  throw_unless_ready(why, "futures");
  return std::nullopt;
}

bool FutureEnds::wait(Expiry expiry, ReturnWhen when) {
  while (left_ != 0) {
    const auto index = next(expiry);
    if (!index) return false;
    if (when == ReturnWhen::first_completed) break;
    if (when == ReturnWhen::first_exception && entries_[*index].state->status() == FutureState::kFailed) break;
  }
  return true;
}

void throw_unfinished_futures(std::size_t left, std::size_t all) {
  throw TimedOut("as_completed: " + std::to_string(left) + " of " + std::to_string(all) + " futures had not ended");
}

}  // namespace hawser::detail
