// MadeOnce: a thing of the whole process, made by its first user. Internal.
//
// What a function's own static is, but it comes through fork(2). When another thread is in the middle of making such a
// static, a forked child finds it begun, and waits for a thread that it does not have. Here it makes the thing anew.
// Nothing is ever destroyed: threads may outlive static destruction.
//
// What is made must be whole, or not be known to anybody, when its making is cut off. So what registers with
// hold_over_fork() is made before main, when nobody forks: see g_made_early where it is used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include <hawser/base/fork.h>

namespace hawser::detail {

// For variables of namespace scope, which need no initialisation of their own. From any thread, also in a forked child;
// a fiber that finds the making begun holds its loop until it is there, as with a static.
template <class T>
class MadeOnce {
 public:
  constexpr MadeOnce() noexcept = default;
  MadeOnce(const MadeOnce&) = delete;
  MadeOnce& operator=(const MadeOnce&) = delete;

  // make() returns a T. It is called until it has returned once, by one thread at a time; what it throws comes out of
  // the call that made it.
  template <class Make>
  T& get(Make&& make) {
    if (state_.load(std::memory_order_acquire) != kMade) make_unless_made(make);
    return *std::launder(reinterpret_cast<T*>(storage_));
  }
  T& get() {
    return get([] { return T(); });
  }

 private:
  // Otherwise: being made, in the process of this fork_generation().
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  static constexpr std::uint64_t kMade = kNone - 1;

  template <class Make>
  void make_unless_made(Make& make) {
    const std::uint64_t here = fork_generation();
    for (std::uint64_t seen = state_.load(std::memory_order_acquire); seen != kMade;) {
      if (seen == here) {
        state_.wait(seen, std::memory_order_acquire);
        seen = state_.load(std::memory_order_acquire);
      } else if (state_.compare_exchange_weak(seen, here, std::memory_order_acq_rel)) {
        try {
          ::new (static_cast<void*>(storage_)) T(make());
        } catch (...) {
          tell(kNone);
          throw;
        }
        return tell(kMade);
      }
    }
  }
  void tell(std::uint64_t state) noexcept {
    state_.store(state, std::memory_order_release);
    state_.notify_all();
  }

  std::atomic<std::uint64_t> state_{kNone};
  alignas(T) std::byte storage_[sizeof(T)]{};  // NOLINT(bugprone-sizeof-expression): T may well be a pointer
};

}  // namespace hawser::detail
