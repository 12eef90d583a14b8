// EndCallback: what is called when a task or a future has ended. EndCallbacks: all of those, for one task or future,
// whose lock guards them. Internal.
#pragma once

#include <memory>
#include <utility>

namespace hawser::detail {

template <class State>
class EndCallbacks;

// Belongs to the list until it has been called.
template <class State>
class EndCallback {
 public:
  EndCallback() = default;
  EndCallback(const EndCallback&) = delete;
  EndCallback& operator=(const EndCallback&) = delete;
  virtual ~EndCallback() = default;
  virtual void call(State& state) = 0;

 private:
  friend class EndCallbacks<State>;
  std::unique_ptr<EndCallback> next_;
};

template <class State>
class EndCallbacks {
 public:
  [[nodiscard]] bool empty() const noexcept { return latest_ == nullptr; }
  void add(std::unique_ptr<EndCallback<State>> callback) noexcept {
    callback->next_ = std::move(latest_);
    latest_ = std::move(callback);
  }
  // Calls call(callback) for each, in the order of adding, and destroys it. Without the lock: of a list that was moved
  // from where it was guarded.
  template <class Call>
  void drain(Call call) noexcept {
    std::unique_ptr<EndCallback<State>> oldest;
    while (latest_) {
      std::unique_ptr<EndCallback<State>> next = std::move(latest_->next_);
      latest_->next_ = std::move(oldest);
      oldest = std::exchange(latest_, std::move(next));
    }
    while (oldest) {
      call(*oldest);
      oldest = std::move(oldest->next_);
    }
  }

 private:
  std::unique_ptr<EndCallback<State>> latest_;
};

}  // namespace hawser::detail
