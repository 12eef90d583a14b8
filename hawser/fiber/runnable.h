// Runnable: what a loop's queue of ready work holds: a fiber to resume or a task to start. Internal.
#pragma once

#include <cstdint>

namespace hawser::detail {

class Runnable {
 public:
  enum class Kind : std::uint8_t { fiber, task };
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 protected:
  explicit Runnable(Kind kind) noexcept : kind_(kind) {}
  ~Runnable() = default;

 private:
  friend class RunQueue;
  Runnable* next_ = nullptr;
  Kind kind_;
};

// First in, first out; one thread only.
class RunQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  // Whether there are more than `count`; as many steps as that.
  [[nodiscard]] bool more_than(int count) const noexcept {
    const Runnable* at = head_;
    while (at && count-- > 0) at = at->next_;
    return at != nullptr;
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Runnable* at = head_; at; at = at->next_) visit(*at);
  }
  // Null when it is empty.
  [[nodiscard]] Runnable* first() const noexcept { return head_; }
  void push(Runnable& r) noexcept {
    r.next_ = nullptr;
    if (tail_) {
      tail_->next_ = &r;
    } else {
      head_ = &r;
    }
    tail_ = &r;
  }
  Runnable* pop() noexcept {
    Runnable* r = head_;
    if (r) {
      head_ = r->next_;
      if (!head_) tail_ = nullptr;
    }
    return r;
  }

 private:
  Runnable* head_ = nullptr;
  Runnable* tail_ = nullptr;
};

}  // namespace hawser::detail
