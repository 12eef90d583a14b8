// CompletionQueue: the ends of several tasks or futures, in their order, and the one context that takes them. Internal;
// see as_completed.h, and <hawser/task/completion.h>.
//
// Whoever derives from it has the tasks or futures, begins to listen to each when it is made, and stops before it goes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/end_listener.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {

class CompletionQueue {
 public:
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  // The index of the next one that has ended; nothing when the expiry came first. Precondition: left() != 0.
  std::optional<std::size_t> next(Expiry expiry);
  // Those that next() has not given yet.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  // TimedOut, saying how many have not ended.
  [[noreturn]] void throw_unfinished() const;

 protected:
  // The wait's name, in dumps and errors, and the name of what ends. Both literals.
  CompletionQueue(std::size_t size, const char* wait, const char* things);
  ~CompletionQueue() = default;

  // Those that have ended already come first, in the order given.
  template <class State>
  void listen_to(const std::vector<State>& states) noexcept {
    for (std::size_t i = 0; i < states.size(); ++i)
      if (!states[i]->listen(entries_[i])) has_ended(entries_[i]);
  }
  // Returns only when nobody is in has_ended() any more: that happens under the states' locks.
  template <class State>
  void stop_listening_to(const std::vector<State>& states) noexcept {
    for (std::size_t i = 0; i < states.size(); ++i) states[i]->stop_listening(entries_[i]);
  }

 private:
  struct Entry : EndListener {
    CompletionQueue* owner = nullptr;
    Entry* after = nullptr;  // ended after this one
  };
  virtual Wake park(Waiter& waiter, Expiry expiry) noexcept { return waiter.park(expiry); }
  void has_ended(Entry& entry) noexcept;
  std::optional<std::size_t> pop() noexcept;

  const char* wait_;
  const char* things_;
  std::vector<Entry> entries_;  // never grows: their addresses are in the states
  std::size_t left_;
  SpinLock lock_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  Waiter* waiting_ = nullptr;
};

}  // namespace hawser::detail
