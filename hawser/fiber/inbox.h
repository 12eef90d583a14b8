// Inbox: how other threads reach a loop: a lock-free stack of messages, taken all at once and turned round, so that
// they are delivered in the order of sending. Internal.
#pragma once

#include <atomic>

namespace hawser::detail {

class Loop;

struct Message {
  Message* next = nullptr;
  // Runs on the loop's thread, outside any fiber. May delete the message.
  void (*deliver)(Message& message, Loop& loop) noexcept = nullptr;
};

class Inbox {
 public:
  // From any thread; the message must live until it is delivered.
  void push(Message& message) noexcept {
    Message* head = head_.load(std::memory_order_relaxed);
    do {
      message.next = head;
    } while (!head_.compare_exchange_weak(head, &message, std::memory_order_seq_cst, std::memory_order_relaxed));
  }
  [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_seq_cst) == nullptr; }
  // All messages, oldest first.
  [[nodiscard]] Message* take_all() noexcept {
    if (!head_.load(std::memory_order_relaxed)) return nullptr;
    Message* newest_first = head_.exchange(nullptr, std::memory_order_acquire);
    Message* oldest_first = nullptr;
    while (newest_first) {
      Message* next = newest_first->next;
      newest_first->next = oldest_first;
      oldest_first = newest_first;
      newest_first = next;
    }
    return oldest_first;
  }

 private:
  std::atomic<Message*> head_{nullptr};
};

}  // namespace hawser::detail
