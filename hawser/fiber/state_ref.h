// StateRef: a counted reference to what a Task or a Future refers to. Internal.
#pragma once

#include <concepts>
#include <utility>

namespace hawser::detail {

template <class State>
class StateRef {
 public:
  StateRef() = default;
  // Takes over one reference.
  explicit StateRef(State* adopted) noexcept : state_(adopted) {}
  StateRef(const StateRef& other) noexcept : state_(other.state_) {
    if (state_) state_->add_ref();
  }
  StateRef(StateRef&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  template <std::derived_from<State> Derived>
  StateRef(StateRef<Derived> other) noexcept : state_(other.release()) {}  // NOLINT(google-explicit-constructor)
  StateRef& operator=(StateRef other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StateRef() {
    if (state_) state_->drop_ref();
  }
  explicit operator bool() const noexcept { return state_ != nullptr; }
  State& operator*() const noexcept { return *state_; }
  State* operator->() const noexcept { return state_; }
  [[nodiscard]] State* get() const noexcept { return state_; }
  [[nodiscard]] State* release() noexcept { return std::exchange(state_, nullptr); }

 private:
  State* state_ = nullptr;
};

}  // namespace hawser::detail
