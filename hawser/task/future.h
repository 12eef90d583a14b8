// Future: the result of work that somebody else does: a pool's thread, a fiber, a process. Promise: the side that does
// it.
//
//   Future<int> f = threads.submit(power, 2, 10);
//   f.on_done([](const Future<int>& done) { log("{}", done.result()); });
//   int n = f.result(5s);
//
// A Future is a handle: copies are the same work, and dropping all of them changes nothing for the work. It is pending,
// running, or done: with a value, with an error, or cancelled. Every call on a valid Future may come from any thread or
// fiber, at any time. An error that nobody asked for is logged once, when the last handle goes.
//
// Waiting for the future throws TimedOut (its own timeout), DeadlineExceeded, Cancelled (the waiting fiber was asked to
// stop) and FutureCancelled (the work was cancelled). A worker of a pool may wait for the pool's own futures: see
// thread_pool.h.
//
// Callbacks are called in the order they were given in, in the context that ended the work (of cancel(): the
// canceller's); at once, in the caller, when it has ended already. They may ask for the result. One that throws is
// logged, and the others are called. See when.h for futures of several futures, completion.h to wait for several.
#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/task/future_state.h>

namespace hawser {

class AnyFuture;
template <class T>
class Future;

namespace detail {
FutureState& state_of(const AnyFuture& future) noexcept;

template <class F>
inline constexpr bool kIsFuture = false;
template <class T>
inline constexpr bool kIsFuture<Future<T>> = true;

template <class R>
concept FutureRange = std::ranges::input_range<R> && std::derived_from<std::ranges::range_value_t<R>, AnyFuture>;

// std::copy_constructible, but for containers, which say so whatever is in them.
template <class T>
constexpr bool copyable() {
  if constexpr (requires { typename T::value_type; }) {
    if constexpr (!std::same_as<typename T::value_type, T>)
      return std::copy_constructible<T> && copyable<typename T::value_type>();
  }
  return std::copy_constructible<T>;
}

[[noreturn]] void throw_future_timeout();
}  // namespace detail

// What all futures share, whatever their type.
class AnyFuture {
 public:
  AnyFuture() = default;
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
  [[nodiscard]] bool running() const noexcept { return state_->status() == detail::FutureState::kRunning; }
  // Ended, in any way.
  [[nodiscard]] bool done() const noexcept { return state_->done(); }
  [[nodiscard]] bool cancelled() const noexcept { return state_->cancelled(); }
  // Ends work that has not begun: who waits gets FutureCancelled at once. False when it runs or has ended otherwise.
  bool cancel() const noexcept { return state_->cancel(); }  // NOLINT(modernize-use-nodiscard)
  // Waits for the end, whatever it is. False when the timeout came first. Throws DeadlineExceeded, Cancelled.
  bool wait(Timeout timeout = std::nullopt) const {  // NOLINT(modernize-use-nodiscard)
    return state_->wait(Expiry::of(timeout));
  }
  // Waits, and gives what the work threw; null when it returned. Throws as waiting does.
  [[nodiscard]] std::exception_ptr exception(Timeout timeout = std::nullopt) const;

  // The same work.
  friend bool operator==(const AnyFuture& a, const AnyFuture& b) noexcept { return a.state_.get() == b.state_.get(); }

 protected:
  explicit AnyFuture(detail::StateRef<detail::FutureState> state) noexcept : state_(std::move(state)) {}
  void wait_for_value(Timeout timeout) const {
    if (!state_->wait(Expiry::of(timeout))) detail::throw_future_timeout();
    state_->need_value();
  }
  detail::StateRef<detail::FutureState> state_;
  friend detail::FutureState& detail::state_of(const AnyFuture& future) noexcept;
};

template <class T>
class Future : public AnyFuture {
 public:
  using value_type = T;

  Future() = default;
  // For executors.
  explicit Future(detail::StateRef<detail::ValueState<T>> state) noexcept : AnyFuture(std::move(state)) {}

  // Waits and gives the value, or throws what the work threw, every time. Throws as waiting does. The reference is good
  // as long as a handle of this work is there.
  decltype(auto) result(Timeout timeout = std::nullopt) const& {
    wait_for_value(timeout);
    if constexpr (!std::is_void_v<T>) return static_cast<const T&>(typed().value());
  }
  // Of a handle that is about to go, as in `submit(f).result()`: the value is moved out when nobody else can ask for
  // it, or when it can't be copied.
  T result(Timeout timeout = std::nullopt) && {
    wait_for_value(timeout);
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (detail::copyable<T>()) {
      if (!state_->is_unique()) return typed().value();
      return std::move(typed().value());
    } else {
      return std::move(typed().value());
    }
  }

  // Calls callback(future), or callback() when it takes no argument, as soon as the work has ended.
  template <class F>
  requires std::invocable<F&, const Future&> || std::invocable<F&>
  void on_done(F callback) const {
    if (done()) return Callback<F>(std::move(callback)).call_logged(*this);
    state_->on_done(std::make_unique<Callback<F>>(std::move(callback)));
  }

  // The future of continuation(value), which runs as a callback does; an error or a cancellation passes it by. Where
  // the continuation returns a Future, it is that one's result. Cancelling the new one before it runs leaves this one
  // as it is.
  template <class F>
  auto then(F continuation) const;

 private:
  template <class F>
  class Callback final : public detail::FutureCallback {
   public:
    explicit Callback(F callback) : callback_(std::move(callback)) {}
    void call(detail::FutureState& state) override {
      // The state keeps its callbacks, so they do not keep the state: whoever ends the work does.
      state.add_ref();
      invoke(Future(detail::StateRef<detail::ValueState<T>>(&static_cast<detail::ValueState<T>&>(state))));
    }
    void call_logged(const Future& future) {
      try {
        invoke(future);
      } catch (...) {
        detail::log_callback_error();
      }
    }

   private:
    void invoke(const Future& future) {
      if constexpr (std::invocable<F&, const Future&>) {
        callback_(future);
      } else {
        callback_();
      }
    }
    F callback_;
  };

  [[nodiscard]] detail::ValueState<T>& typed() const noexcept { return static_cast<detail::ValueState<T>&>(*state_); }
};

// The promise was dropped and the work has no result.
class BrokenPromise : public std::logic_error {
 public:
  BrokenPromise() : std::logic_error("the promise was dropped without a result") {}
};

// The other side of a Future, for whoever does work by other means than a pool. Move-only; used by one context at a
// time. Dropped without a result, the future fails with BrokenPromise.
template <class T>
class Promise {
 public:
  Promise() : state_(new detail::ValueState<T>()) {}
  Promise(Promise&&) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    Promise old(std::move(*this));
    state_ = std::move(other.state_);
    begun_ = other.begun_;
    return *this;
  }
  ~Promise() {
    if (!state_ || !claim()) return;
    const bool nobody_can_ask = state_->is_unique();
    state_->fail(std::make_exception_ptr(BrokenPromise()));
    if (nobody_can_ask) static_cast<void>(state_->error());
  }

  // May be asked for any number of times, until the promise is kept.
  [[nodiscard]] Future<T> future() const { return Future<T>(need("future")); }

  // The work begins: from now on it can't be cancelled. False when it has been: then nobody wants the result. Throws
  // std::logic_error when called twice.
  [[nodiscard]] bool set_running_or_notify_cancel() {
    const auto& state = need("set_running_or_notify_cancel");
    if (begun_) throw std::logic_error("set_running_or_notify_cancel: the work runs already");
    begun_ = state->begin();
    return begun_;
  }

  // Once; each throws std::logic_error when the promise is kept already. False when the future had been cancelled: then
  // nothing happens.
  template <class... V>
  bool set_value(V&&... value) requires(std::is_void_v<T> ? sizeof...(V) == 0 : sizeof...(V) > 0) {
    need("set_value");
    if (!claim()) return drop();
    state_->succeed(std::forward<V>(value)...);
    state_ = {};
    return true;
  }
  bool set_exception(std::exception_ptr error) {
    if (!error) throw std::invalid_argument("set_exception: no error was given");
    need("set_exception");
    if (!claim()) return drop();
    state_->fail(std::move(error));
    state_ = {};
    return true;
  }
  template <class Error>
  requires std::derived_from<std::decay_t<Error>, std::exception>
  bool set_exception(Error&& error) { return set_exception(std::make_exception_ptr(std::forward<Error>(error))); }

 private:
  const detail::StateRef<detail::ValueState<T>>& need(const char* operation) const {
    if (!state_) throw std::logic_error(std::string(operation) + ": the promise is kept already");
    return state_;
  }
  bool claim() noexcept {
    begun_ = begun_ || state_->begin();
    return begun_;
  }
  bool drop() noexcept {
    state_ = {};
    return false;
  }

  detail::StateRef<detail::ValueState<T>> state_;
  bool begun_ = false;
};

namespace detail {

inline FutureState& state_of(const AnyFuture& future) noexcept { return *future.state_; }

// Calls a continuation with the value that a future ended with.
template <class T, class F>
decltype(auto) continue_with(F& continuation, const Future<T>& done) {
  if constexpr (std::is_void_v<T>) {
    done.result();
    return continuation();
  } else {
    return continuation(done.result());
  }
}

// Ends a promise as this future, which is done, has ended.
template <class T>
void keep_with(const Future<T>& done, Promise<T>& promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      done.result();
      promise.set_value();
    } else if constexpr (copyable<T>()) {
      promise.set_value(done.result());
    } else {
      promise.set_value(Future<T>(done).result());
    }
  } catch (...) {
    promise.set_exception(std::current_exception());
  }
}

}  // namespace detail

template <class T>
template <class F>
auto Future<T>::then(F continuation) const {
  using Returned = decltype(detail::continue_with(continuation, *this));
  if constexpr (detail::kIsFuture<Returned>) {
    using U = typename Returned::value_type;
    auto promise = std::make_shared<Promise<U>>();
    Future<U> future = promise->future();
    on_done([promise = std::move(promise), continuation = std::move(continuation)](const Future& done) mutable {
      if (done.cancelled()) promise->future().cancel();
      if (!promise->set_running_or_notify_cancel()) return;
      try {
        detail::continue_with(continuation, done).on_done([promise](const Future<U>& inner) {
          detail::keep_with(inner, *promise);
        });
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    });
    return future;
  } else {
    detail::StateRef<detail::ValueState<Returned>> next(new detail::ValueState<Returned>());
    Future<Returned> future(next);
    on_done([next = std::move(next), continuation = std::move(continuation)](const Future& done) mutable {
      if (done.cancelled()) {
        next->cancel();
      } else if (next->begin()) {
        detail::fulfil(*next, [&] { return detail::continue_with(continuation, done); });
      }
    });
    return future;
  }
}

}  // namespace hawser
