#include <hawser/fiber/waiter.h>

#include <linux/futex.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/loop.h>

namespace hawser {
namespace {

using detail::Context;
using detail::Fiber;
using detail::Loop;

timespec to_timespec(Duration length) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
  return {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>((length - seconds).count())};
}

// How often who has no bell looks whether it was rung for.
constexpr Duration kWithoutBell = std::chrono::milliseconds(10);

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, Timeout timeout) noexcept {
  timespec relative{};
  if (timeout) relative = to_timespec(*timeout);
  detail::sleeping::futex_wait(word, value, timeout ? &relative : nullptr);
}

// eventfds for threads that wait in poll(2). They are lent out and never closed: a late ring reaches whoever has it
// next, who looks again and goes on waiting, and never an unrelated descriptor.
class Bells {
 public:
  Bells() { detail::hold_over_fork(mutex_, detail::ForkOrder::inner, &Bells::in_child, this); }

  int take() {
    {
      std::lock_guard hold(mutex_);
      if (!free_.empty()) {
        const int bell = free_.back();
        free_.pop_back();
        return bell;
      }
      free_.reserve(free_.size() + ++made_);
    }
    return detail::sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  }
  void give_back(int bell) noexcept {
    std::lock_guard hold(mutex_);
    free_.push_back(bell);  // room was reserved when it was made
  }

 private:
  // The parent's threads go on using theirs, and a ring would be heard there.
  static void in_child(void* self) noexcept {
    auto& bells = *static_cast<Bells*>(self);
    for (const int bell : bells.free_) ::close(bell);
    bells.free_.clear();
    bells.made_ = 0;
  }

  std::mutex mutex_;
  std::size_t made_ = 0;
  std::vector<int> free_;
};

constinit detail::MadeOnce<Bells> g_bells;
[[maybe_unused]] const bool g_made_early = (g_bells.get(), true);

class ThreadBell {
 public:
  ThreadBell() noexcept = default;
  ThreadBell(const ThreadBell&) = delete;
  ThreadBell& operator=(const ThreadBell&) = delete;
  ~ThreadBell() {
    if (fd_ >= 0 && generation_ == detail::fork_generation()) g_bells.get().give_back(fd_);
  }
  int fd() {
    if (generation_ != detail::fork_generation()) {  // the parent's thread listens to it
      ::close(fd_);
      fd_ = -1;
      generation_ = detail::fork_generation();
    }
    if (fd_ < 0) fd_ = g_bells.get().take();
    return fd_;
  }

 private:
  int fd_ = -1;
  std::uint32_t generation_ = detail::fork_generation();
};

int thread_bell() {
  thread_local ThreadBell bell;
  return bell.fd();
}

}  // namespace

Waiter::Waiter(const char* what, const char* name) noexcept : context_(&Context::current()), what_(what), name_(name) {}

Wake Waiter::park(Expiry expiry) noexcept {
  Fiber* fiber = context_->fiber();
  return fiber ? park_fiber(*fiber, expiry, true) : park_thread(expiry);
}

void Waiter::park_uninterrupted() noexcept {
  if (Fiber* fiber = context_->fiber()) {
    static_cast<void>(park_fiber(*fiber, Expiry::never(), false));
    return;
  }
  while (begin()) {
    while (state_.load(std::memory_order_acquire) == kParked) futex_wait(state_, kParked, std::nullopt);
  }
}

bool Waiter::begin() noexcept {
  std::uint32_t state = state_.load(std::memory_order_acquire);
  if (state != kReady && state_.compare_exchange_strong(state, kParked, std::memory_order_acq_rel)) return true;
  state_.store(kIdle, std::memory_order_relaxed);
  return false;
}

Wake Waiter::decline(Wake why) noexcept {
  std::uint32_t state = kIdle;
  if (state_.compare_exchange_strong(state, kEnded, std::memory_order_acq_rel) || state == kEnded) return why;
  state_.store(kIdle, std::memory_order_relaxed);
  return Wake::ready;
}

void Waiter::use_bell() noexcept { bell_ = thread_bell(); }

Wake Waiter::park_fiber(Fiber& fiber, Expiry expiry, bool interruptible) noexcept {
  if (state_.load(std::memory_order_acquire) == kReady) {
    state_.store(kIdle, std::memory_order_relaxed);
    return Wake::ready;
  }
  Expiry first = expiry;
  const bool unwinding = std::uncaught_exceptions() != 0;
  if (interruptible && !unwinding) {
    if (fiber.cancel_due()) return decline(Wake::cancelled);
    if (const Deadline* nearest = fiber.nearest_deadline(); nearest && nearest->expiry() < expiry) {
      first = nearest->expiry();
    }
  }
  if (first.passed()) return decline(first < expiry ? Wake::deadline : Wake::expired);
  if (!begin()) return Wake::ready;
  why_ = Wake::ready;
  fiber.waiter = this;
  fiber.interruptible = interruptible && !unwinding && fiber.shields == 0;
  fiber.park_expiry = expiry;
  fiber.loop.park(fiber, first);
  fiber.waiter = nullptr;
  if (why_ == Wake::ready) state_.store(kIdle, std::memory_order_relaxed);
  // A scope that ran out long ago, while this wait was not to be struck by one.
  if (why_ == Wake::deadline && first == expiry) return Wake::expired;
  return why_;
}

Wake Waiter::park_thread(Expiry expiry) noexcept {
  const Expiry scope = Deadline::current();
  const Expiry first = std::uncaught_exceptions() ? expiry : std::min(expiry, scope);
  if (!begin()) return Wake::ready;
  for (;;) {
    const Timeout left = first.left();
    if (left && *left == Duration::zero()) {
      if (interrupt(Wake::expired)) return first < expiry ? Wake::deadline : Wake::expired;
    } else {
      futex_wait(state_, kParked, left);
    }
    if (state_.load(std::memory_order_acquire) == kReady) {
      state_.store(kIdle, std::memory_order_relaxed);
      return Wake::ready;
    }
  }
}

Wake Waiter::park_on_descriptor(int fd, short events, Expiry expiry) noexcept {
  const Expiry scope = Deadline::current();
  const Expiry first = std::uncaught_exceptions() ? expiry : std::min(expiry, scope);
  if (!begin()) return Wake::ready;
  for (;;) {
    pollfd both[2] = {{.fd = fd, .events = events, .revents = 0}, {.fd = bell_, .events = POLLIN, .revents = 0}};
    Timeout left = first.left();
    if (bell_ < 0) left = std::min(left.value_or(kWithoutBell), kWithoutBell);
    timespec relative{};
    if (left) relative = to_timespec(*left);
    const int count = detail::sys::ppoll(both, bell_ >= 0 ? 2 : 1, left ? &relative : nullptr, nullptr);
    if (both[1].revents) detail::silence_bell(bell_);
    // Whoever unparks us has the last word: interrupt() fails when somebody already did.
    if (state_.load(std::memory_order_acquire) == kReady || (count > 0 && both[0].revents)) {
      if (!interrupt(Wake::ready)) state_.store(kIdle, std::memory_order_relaxed);
      return Wake::ready;
    }
    if (count == 0 && first.passed()) {
      if (interrupt(Wake::expired)) return first < expiry ? Wake::deadline : Wake::expired;
    }
  }
}

bool Waiter::unpark() noexcept {
  // Copied first: once the state says ready, the waiter may be gone.
  Fiber* const fiber = context_->fiber();
  const int bell = bell_;
  std::atomic<std::uint32_t>* const word = &state_;
  const std::uint32_t before = state_.exchange(kReady, std::memory_order_acq_rel);
  if (before != kParked) return before != kEnded;
  if (fiber) {
    if (Loop::current() == &fiber->loop) {
      fiber->loop.wake_here(*fiber);
    } else {
      fiber->wake_message.deliver = [](detail::Message& message, Loop& loop) noexcept {
        loop.wake_across(Fiber::of_wake_message(message));
      };
      fiber->loop.post(fiber->wake_message);
    }
    return true;
  }
  const int saved = errno;
  if (bell >= 0) detail::ring_bell(bell);
  // The address may belong to somebody else by now; at worst that one looks once more.
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved;
  return true;
}

bool Waiter::interrupt(Wake why) noexcept {
  std::uint32_t parked = kParked;
  if (!state_.compare_exchange_strong(parked, kEnded, std::memory_order_acq_rel)) return false;
  why_ = why;
  if (Fiber* fiber = context_->fiber()) fiber->loop.make_ready(*fiber);
  return true;
}

void Waiter::time_out(detail::Timer& timer) noexcept {
  auto& fiber = *static_cast<Fiber*>(timer.owner);
  const Deadline* nearest = fiber.nearest_deadline();
  const bool scope = nearest && nearest->expiry() < fiber.park_expiry;
  fiber.loop.count_fired_timer();
  fiber.waiter->interrupt(scope ? Wake::deadline : Wake::expired);
}

void throw_unless_ready(Wake why, std::string_view operation) {
  const std::string name(operation);
  switch (why) {
    case Wake::ready:
      return;
    case Wake::expired:
      throw TimedOut(name + ": timed out");
    case Wake::deadline: {
      const Deadline* nearest = Context::current().nearest_deadline();
      throw DeadlineExceeded(name + ": " + (nearest ? nearest->name() : "deadline") + " exceeded",
                             nearest ? nearest->number() : 0);
    }
    case Wake::cancelled:
      throw Cancelled(name + ": cancelled");
  }
}

}  // namespace hawser
