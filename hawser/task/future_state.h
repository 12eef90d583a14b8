// What a Future refers to: how far the work is, how it ended, who waits for that and who wants to be told. Internal;
// see future.h.
//
// One word says it all: the status, a bit while somebody is listed, and a busy bit that guards the lists for a few
// instructions. Work that nobody waits for yet begins and ends with one atomic step each.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/fiber/end_callback.h>
#include <hawser/fiber/end_listener.h>
#include <hawser/fiber/state_ref.h>

namespace hawser {

// The future that was asked had been cancelled. (A plain Cancelled means that the waiting fiber was asked to stop.)
class FutureCancelled : public Cancelled {
 public:
  FutureCancelled() : Cancelled("the future was cancelled") {}
};

namespace detail {

class FutureState;

// Of the exception that is being handled.
void log_callback_error() noexcept;

using FutureCallback = EndCallback<FutureState>;  // of on_done()

class FutureState {
 public:
  enum Status : std::uint32_t { kPending, kRunning, kCancelled, kValue, kFailed };

  FutureState() = default;
  // With this many references instead of one.
  explicit FutureState(std::uint32_t refs) noexcept : refs_(refs) {}
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept {
    if (is_unique() || refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  // The caller has the only reference: nobody else can ever ask.
  [[nodiscard]] bool is_unique() const noexcept { return refs_.load(std::memory_order_acquire) == 1; }

  [[nodiscard]] Status status() const noexcept {
    return static_cast<Status>(word_.load(std::memory_order_acquire) & kStatus);
  }
  [[nodiscard]] bool done() const noexcept { return status() >= kCancelled; }
  [[nodiscard]] bool cancelled() const noexcept { return status() == kCancelled; }

  // The work begins. False when it was cancelled before, or has begun: then it must not be done (again).
  [[nodiscard]] bool begin() noexcept { return move_on(kPending, kRunning) || begin_listed(); }
  // Ends work that has not begun. False when it runs or has ended otherwise.
  bool cancel() noexcept { return move_on(kPending, kCancelled) || end_listed(kPending, kCancelled) || cancelled(); }
  // The work ended with an error. Precondition: begin() was true, for the caller.
  void fail(std::exception_ptr error) noexcept;

  // Once done: null unless it failed. Asking counts as having seen the error.
  [[nodiscard]] const std::exception_ptr& error() noexcept {
    if (error_) error_seen_.store(true, std::memory_order_relaxed);
    return error_;
  }
  // Once done: throws unless it ended with a value.
  void need_value() {
    if (status() != kValue) rethrow();
  }

  // False when the expiry came first. Throws DeadlineExceeded, Cancelled; DeadlockDetected when it can never come.
  bool wait(Expiry expiry) { return done() || wait_slow(expiry); }
  // False, and it is not listed, when the work has ended already.
  [[nodiscard]] bool listen(EndListener& listener) noexcept;
  // False when it has been told, or is being told: then done() is true.
  bool stop_listening(EndListener& listener) noexcept;

  // Called when the work has ended, in the context that ended it, in the order of asking; here and now when it has
  // ended already. What a callback throws is logged.
  void on_done(std::unique_ptr<FutureCallback> callback) noexcept;

  // In a context that is about to wait for this without a limit of time: does the work there and then, if it may. True
  // when it has.
  virtual bool do_here() noexcept { return false; }

 protected:
  virtual ~FutureState();
  // Precondition: begin() was true, for the caller, who has a reference.
  void end(Status status) noexcept {
    if (!move_on(kRunning, status)) end_listed(kRunning, status);
  }

 private:
  static constexpr std::uint32_t kStatus = 7;
  static constexpr std::uint32_t kListed = 8;  // there are listeners or callbacks
  static constexpr std::uint32_t kBusy = 16;   // somebody changes the lists

  // From `from` to `to` when nobody is listed.
  bool move_on(Status from, Status to) noexcept {
    std::uint32_t expected = from;
    return word_.compare_exchange_strong(expected, to, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  bool begin_listed() noexcept;
  // Tells everybody who is listed. False when the status was another one.
  bool end_listed(Status from, Status to) noexcept;
  bool wait_slow(Expiry expiry);
  [[noreturn]] void rethrow();
  void destroy() noexcept;
  void call(FutureCallback& callback) noexcept;
  // Takes the lists; the status is what it was.
  Status enter() noexcept;
  void leave(Status status) noexcept;

  std::atomic<std::uint32_t> word_{kPending};
  std::atomic<std::uint32_t> refs_{1};
  EndListeners listeners_;
  EndCallbacks<FutureState> callbacks_;
  std::exception_ptr error_;
  std::atomic<bool> error_seen_{false};
};

template <class T>
class ValueState : public FutureState {
  static_assert(!std::is_reference_v<T>, "a future's function must return a value: a reference could dangle");

 public:
  using FutureState::FutureState;
  // Precondition: begin() was true, for the caller. When making the value throws, nothing has changed.
  template <class... V>
  void succeed(V&&... value) {
    value_.emplace(std::forward<V>(value)...);
    end(kValue);
  }
  // Once done() with a value.
  [[nodiscard]] T& value() noexcept { return *value_; }

 private:
  std::optional<T> value_;
};

template <>
class ValueState<void> : public FutureState {
 public:
  using FutureState::FutureState;
  void succeed() noexcept { end(kValue); }
};

// Does the work and ends the state with what comes of it. Precondition: state.begin() was true.
template <class T, class F>
void fulfil(ValueState<T>& state, F&& function) noexcept {
  try {
    if constexpr (std::is_void_v<T>) {
      std::forward<F>(function)();
    } else {
      return state.succeed(std::forward<F>(function)());
    }
  } catch (...) {
    return state.fail(std::current_exception());
  }
  if constexpr (std::is_void_v<T>) state.succeed();
}

}  // namespace detail
}  // namespace hawser
