// WaitList: those who wait, in their order: a list linked through the waits themselves, which lie on the stacks of who
// waits. Whoever has the list guards it.
#pragma once

namespace hawser::detail {

// Node has `next`, `previous` and `listed`.
template <class Node>
class WaitList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] Node* front() const noexcept { return first_; }
  void push_back(Node& node) noexcept {
    node.previous = last_;
    node.next = nullptr;
    node.listed = true;
    (last_ ? last_->next : first_) = &node;
    last_ = &node;
  }
  void push_front(Node& node) noexcept {
    node.previous = nullptr;
    node.next = first_;
    node.listed = true;
    (first_ ? first_->previous : last_) = &node;
    first_ = &node;
  }
  void remove(Node& node) noexcept {
    (node.previous ? node.previous->next : first_) = node.next;
    (node.next ? node.next->previous : last_) = node.previous;
    node.listed = false;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace hawser::detail
