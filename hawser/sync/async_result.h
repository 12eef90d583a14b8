// AsyncResult: a value or an error that one context leaves and any number of others wait for.
//
//   AsyncResult<Config> loaded;
//   spawn([&] { loaded.set(load()); });          // once
//   loaded.get(5s).port;                          // by as many as like
//
// Between fibers, threads and both; every call from anywhere. It may be destroyed as soon as a get() or wait() on it
// has returned and no other call is to come. An error that nobody asked for is logged when it is destroyed.
#pragma once

#include <atomic>
#include <concepts>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/sync/event.h>

namespace hawser {

template <class T>
class AsyncResult {
 public:
  AsyncResult() noexcept = default;
  AsyncResult(const AsyncResult&) = delete;
  AsyncResult& operator=(const AsyncResult&) = delete;
  ~AsyncResult() {
    if (error_ && !error_seen_.load(std::memory_order_relaxed)) {
      log_line(LogLevel::error, "a result was an error and nobody asked: " + describe(error_));
    }
  }

  // Each throws std::logic_error when there is a result already.
  template <class... Value>
  void set(Value&&... value) requires(std::is_void_v<T> ? sizeof...(Value) == 0 : sizeof...(Value) == 1) {
    claim();
    if constexpr (!std::is_void_v<T>) {
      try {
        value_.emplace(std::forward<Value>(value)...);
      } catch (...) {
        claimed_.store(false, std::memory_order_release);  // as if set() had not been called
        throw;
      }
    }
    done_.set();
  }
  void set_exception(std::exception_ptr error) {
    if (!error) throw std::invalid_argument("set_exception: no error was given");
    claim();
    error_ = std::move(error);
    done_.set();
  }
  template <class Error>
  requires std::derived_from<std::decay_t<Error>, std::exception>
  void set_exception(Error&& error) { set_exception(std::make_exception_ptr(std::forward<Error>(error))); }

  // False when the timeout came first. Throws DeadlineExceeded, Cancelled; std::invalid_argument for a negative
  // timeout.
  bool wait(Timeout timeout = std::nullopt) { return done_.wait(timeout); }
  // Waits and returns the value (copied, for others may ask) or rethrows the error, every time. Throws TimedOut, and
  // what wait() throws.
  T get(Timeout timeout = std::nullopt) {
    if (!done_.wait(timeout)) throw TimedOut("get: timed out");
    if (error_) {
      error_seen_.store(true, std::memory_order_relaxed);
      std::rethrow_exception(error_);
    }
    if constexpr (!std::is_void_v<T>) return *value_;
  }

  [[nodiscard]] bool ready() const noexcept { return done_.is_set(); }
  [[nodiscard]] bool successful() const noexcept { return ready() && !error_; }
  // Null while there is no result or when it is a value. Asking counts as having seen the error.
  [[nodiscard]] std::exception_ptr exception() const noexcept {
    if (!ready()) return nullptr;
    error_seen_.store(true, std::memory_order_relaxed);
    return error_;
  }

 private:
  using Stored = std::conditional_t<std::is_void_v<T>, char, T>;
  void claim() {
    if (claimed_.exchange(true, std::memory_order_acq_rel)) throw std::logic_error("there is a result already");
  }

  std::atomic<bool> claimed_{false};
  std::optional<Stored> value_;
  std::exception_ptr error_;
  mutable std::atomic<bool> error_seen_{false};
  Event done_;
};

}  // namespace hawser
