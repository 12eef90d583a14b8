#include <hawser/task/timer.h>

#include <atomic>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/identity.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/event.h>
#include <hawser/task/end_mark.h>
#include <hawser/task/thread_state.h>

namespace hawser {

namespace detail {

class TimerState {
 public:
  TimerState(Duration delay, bool repeating, std::unique_ptr<TimerBody> body)
      : delay_(delay), repeating_(repeating), body_(std::move(body)) {}

  [[nodiscard]] bool started() const noexcept { return started_.load(std::memory_order_acquire); }
  [[nodiscard]] bool finished() const noexcept { return future_.done(); }
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }
  [[nodiscard]] const Future<void>& future() const noexcept { return future_; }

  Expiry begin() {
    if (started_.exchange(true, std::memory_order_acq_rel)) throw std::logic_error("a timer can only be started once");
    return Expiry::in(delay_);
  }
  void not_begun() noexcept { started_.store(false, std::memory_order_release); }

  bool cancel() noexcept {
    if (future_.done() || !future_.cancel()) return false;
    stop_.set();
    return true;
  }

  // In the timer's own fiber or thread.
  void run(Expiry next) {
    runner_.store(current_identity(), std::memory_order_release);
    try {
      while (!stop_.wait(next.left())) {
        if (repeating_ ? future_.done() : !promise_.set_running_or_notify_cancel()) return;
        calls_.fetch_add(1, std::memory_order_relaxed);
        body_->call();
        if (!repeating_) return static_cast<void>(promise_.set_value());
        next = after(next);
      }
    } catch (const Cancelled&) {
      if (cancel_requested() && future_.cancel()) return;  // the loop comes to an end
      promise_.set_exception(std::current_exception());
    } catch (...) {
      promise_.set_exception(std::current_exception());
    }
  }

  // The fiber or thread has ended, or never came.
  void end() noexcept {
    future_.cancel();
    ended_.set();
  }
  void wait_ended() noexcept {
    if (started() && runner_.load(std::memory_order_acquire) != current_identity()) ended_.wait_uninterrupted("timer");
  }

 private:
  // The next moment of the rhythm that has not passed.
  [[nodiscard]] Expiry after(Expiry last) const {
    auto next = last.when() + delay_;
    const auto now = Clock::now();
    if (next < now) next += (now - next) / delay_ * delay_ + delay_;
    return Expiry::at(next);
  }

  const Duration delay_;
  const bool repeating_;
  const std::unique_ptr<TimerBody> body_;
  Promise<void> promise_;
  const Future<void> future_ = promise_.future();
  Event stop_;
  EndMark ended_;
  std::atomic<bool> started_{false};
  std::atomic<Identity> runner_{0};
  std::atomic<std::uint64_t> calls_{0};
};

namespace {

// What the timer's fiber or thread holds: says that it has ended, also when it was killed before it began, but not when
// there was none to be had.
class Runner {
 public:
  explicit Runner(std::shared_ptr<TimerState> state) noexcept : state_(std::move(state)) {}
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() {
    if (state_) state_->end();
  }
  void run(Expiry first) { state_->run(first); }
  void never_came() noexcept { state_.reset(); }

 private:
  std::shared_ptr<TimerState> state_;
};

}  // namespace
}  // namespace detail

AnyTimer::AnyTimer(Duration delay, bool repeating, std::unique_ptr<detail::TimerBody> body) {
  if (delay < Duration::zero() || (repeating && delay == Duration::zero()))
    throw std::invalid_argument("timer: the time must be positive");
  state_ = std::make_shared<detail::TimerState>(delay, repeating, std::move(body));
}

AnyTimer::~AnyTimer() {
  state_->cancel();
  state_->wait_ended();
}

void AnyTimer::start() {
  const Expiry first = state_->begin();
  std::shared_ptr<detail::Runner> runner;
  try {
    runner = std::make_shared<detail::Runner>(state_);
    auto body = [runner, first]() mutable {
      runner->run(first);
      runner.reset();
    };
    if (in_fiber()) {
      spawn(std::move(body)).set_name("timer");
    } else {
      std::make_shared<detail::ThreadState>("timer", true)->start(std::move(body));
    }
  } catch (...) {
    if (runner) runner->never_came();
    state_->not_begun();
    throw;
  }
}

bool AnyTimer::cancel() noexcept { return state_->cancel(); }

bool AnyTimer::join(Timeout timeout) {
  if (!state_->started()) throw std::logic_error("a timer can't be joined before it is started");
  if (!state_->future().wait(timeout)) return false;
  if (!state_->future().cancelled()) state_->future().result();
  return true;
}

bool AnyTimer::finished() const noexcept { return state_->finished(); }

std::uint64_t AnyTimer::calls() const noexcept { return state_->calls(); }

}  // namespace hawser
