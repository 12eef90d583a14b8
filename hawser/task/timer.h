// Timer: calls a function once, after a while. RepeatingTimer: again and again.
//
//   Timer alarm(30s, [&] { sock.close(); });
//   alarm.start();
//   ...
//   alarm.cancel();                        // in time: it is never called
//
//   RepeatingTimer pulse(1s, [&] { report(counters); });
//   pulse.start();
//
// The function runs on a fiber of its own when start() is called in a fiber, on a thread of its own otherwise. Leaving
// the scope cancels, and waits for a call that is under way, unless it is left from inside that very call. An error of
// the function ends the timer, is rethrown by join(), and is logged when nobody asked.
//
// A RepeatingTimer keeps to its rhythm, counted from start(): calls do not overlap, and those that a slow one has
// missed are left out. start() and the destructor belong to one context; every other call may come from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/task/future.h>

namespace hawser {

namespace detail {

class TimerState;

// A function with its arguments, which need not be copyable.
class TimerBody {
 public:
  TimerBody() = default;
  TimerBody(const TimerBody&) = delete;
  TimerBody& operator=(const TimerBody&) = delete;
  virtual ~TimerBody() = default;
  virtual void call() = 0;
};

template <class F, class... Args>
class TimerCall final : public TimerBody {
 public:
  template <class G, class... A>
  explicit TimerCall(G&& function, A&&... args) : body_(std::forward<G>(function), std::forward<A>(args)...) {}
  void call() override {
    std::apply([](F& function, Args&... args) { static_cast<void>(std::invoke(function, args...)); }, body_);
  }

 private:
  std::tuple<F, Args...> body_;
};

}  // namespace detail

// What both kinds share.
class AnyTimer {
 public:
  AnyTimer(const AnyTimer&) = delete;
  AnyTimer& operator=(const AnyTimer&) = delete;

  // Once; std::logic_error the second time. Throws SystemError when there can't be another thread: then it has not been
  // started, and may be.
  void start();
  // No call begins any more. False when there would have been none anyway: the timer has ended, or its only call runs.
  bool cancel() noexcept;
  // Waits until there will be no more calls: until the call of a Timer has returned, or the timer was cancelled. False
  // when the timeout came first. Rethrows what the function threw. Throws std::logic_error before the start;
  // DeadlineExceeded, Cancelled.
  bool join(Timeout timeout = std::nullopt);
  // There will be no more calls.
  [[nodiscard]] bool finished() const noexcept;
  // How often the function has been called.
  [[nodiscard]] std::uint64_t calls() const noexcept;

 protected:
  AnyTimer(Duration delay, bool repeating, std::unique_ptr<detail::TimerBody> body);
  ~AnyTimer();

 private:
  std::shared_ptr<detail::TimerState> state_;
};

class Timer : public AnyTimer {
 public:
  // function(arguments…), copied or moved into it. Throws std::invalid_argument for a negative delay.
  template <class F, class... Args>
  explicit Timer(Duration delay, F&& function, Args&&... args)
      : AnyTimer(delay, false,
                 std::make_unique<detail::TimerCall<std::decay_t<F>, std::decay_t<Args>...>>(
                     std::forward<F>(function), std::forward<Args>(args)...)) {}
};

class RepeatingTimer : public AnyTimer {
 public:
  // The first call comes after one interval. Throws std::invalid_argument unless the interval is positive.
  template <class F, class... Args>
  explicit RepeatingTimer(Duration interval, F&& function, Args&&... args)
      : AnyTimer(interval, true,
                 std::make_unique<detail::TimerCall<std::decay_t<F>, std::decay_t<Args>...>>(
                     std::forward<F>(function), std::forward<Args>(args)...)) {}
};

}  // namespace hawser
