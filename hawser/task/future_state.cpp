#include <hawser/task/future_state.h>

#include <thread>

#include <hawser/base/log.h>
#include <hawser/base/shared_exception.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/spin.h>
#include <hawser/fiber/waiter.h>
#include <hawser/task/waiting_worker.h>

namespace hawser::detail {

void log_callback_error() noexcept {
  log_line(LogLevel::error, "a callback of a future threw: " + describe(std::current_exception()));
}

FutureState::~FutureState() { about_to_let_go(error_); }

void FutureState::destroy() noexcept {
  if (error_ && !error_seen_.load(std::memory_order_relaxed)) {
    log_line(LogLevel::error, "a future failed and nobody asked: " + describe(error_));
  }
  delete this;
}

void FutureState::rethrow() {
  if (status() == kCancelled) throw FutureCancelled();
  std::rethrow_exception(error());
}

FutureState::Status FutureState::enter() noexcept {
  for (int round = 0;; ++round) {
    const std::uint32_t before = word_.fetch_or(kBusy, std::memory_order_acq_rel);
    if (!(before & kBusy)) return static_cast<Status>(before & kStatus);
    while (word_.load(std::memory_order_relaxed) & kBusy) pause_or_yield(round++);
  }
}

void FutureState::leave(Status status) noexcept {
  word_.store(status | (listeners_.empty() && callbacks_.empty() ? 0 : kListed), std::memory_order_release);
}

bool FutureState::begin_listed() noexcept {
  const Status status = enter();
  leave(status == kPending ? kRunning : status);
  return status == kPending;
}

void FutureState::fail(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  end(kFailed);
}

bool FutureState::end_listed(Status from, Status to) noexcept {
  if (const Status status = enter(); status != from) {
    leave(status);
    return false;
  }
  // Who was listening may go on, and look, before the lists are free.
  word_.store(to | kBusy, std::memory_order_release);
  listeners_.tell_all();
  EndCallbacks<FutureState> callbacks = std::move(callbacks_);
  leave(to);
  if (callbacks.empty()) return true;
  const Shield kill_was_meant_for_the_work;
  callbacks.drain([this](FutureCallback& callback) { call(callback); });
  return true;
}

void FutureState::call(FutureCallback& callback) noexcept {
  try {
    callback.call(*this);
  } catch (...) {
    log_callback_error();
  }
}

void FutureState::on_done(std::unique_ptr<FutureCallback> callback) noexcept {
  if (!done()) {
    const Status status = enter();
    if (status < kCancelled) {
      callbacks_.add(std::move(callback));
      return leave(status);
    }
    leave(status);
  }
  call(*callback);
}

bool FutureState::listen(EndListener& listener) noexcept {
  const Status status = enter();
  if (status < kCancelled) listeners_.add(listener);
  leave(status);
  return status < kCancelled;
}

bool FutureState::stop_listening(EndListener& listener) noexcept {
  const Status status = enter();
  if (status < kCancelled) listeners_.remove(listener);
  leave(status);
  return status < kCancelled;
}

bool FutureState::wait_slow(Expiry expiry) {
  if (expiry.passed()) return false;
  if (expiry.is_never() && Deadline::current().is_never() && do_here()) return true;
  if (spin_until([this] { return done(); })) return true;
  if (!in_fiber()) {
    // Whoever does the work may have been put on this very processor: a turn for it is cheaper than a sleep and a
    // wake-up for each of many futures that are waited for one after another.
    std::this_thread::yield();
    if (done()) return true;
  }
  struct Listener : EndListener {
    Waiter waiter{"future"};
  } listener;
  listener.ended = [](EndListener& self) noexcept { static_cast<Listener&>(self).waiter.unpark(); };
  if (!listen(listener)) return true;
  const WaitingWorker others_may_have_to_help;
  const Wake why = listener.waiter.park(expiry);
  if (why == Wake::ready || !stop_listening(listener)) return true;
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "future");
  return true;
}

}  // namespace hawser::detail
