// EndListener: who is told that a task or a future has ended. EndListeners: all of those, for one task or future, whose
// lock guards them. Internal.
#pragma once

#include <utility>

namespace hawser::detail {

// Told in the context that ends the task or future, under the lock, so it only wakes somebody. It is in the list until
// then, and belongs to whoever put it there.
struct EndListener {
  void (*ended)(EndListener& self) noexcept = nullptr;
  EndListener* next = nullptr;
  EndListener* previous = nullptr;
};

class EndListeners {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void add(EndListener& listener) noexcept {
    listener.previous = nullptr;
    listener.next = first_;
    if (first_) first_->previous = &listener;
    first_ = &listener;
  }
  void remove(EndListener& listener) noexcept {
    (listener.previous ? listener.previous->next : first_) = listener.next;
    if (listener.next) listener.next->previous = listener.previous;
  }
  // Nobody is listed afterwards.
  void tell_all() noexcept {
    for (EndListener* listener = std::exchange(first_, nullptr); listener;) {
      EndListener* next = listener->next;  // it is gone once it has been told
      listener->ended(*listener);
      listener = next;
    }
  }

 private:
  EndListener* first_ = nullptr;
};

}  // namespace hawser::detail
