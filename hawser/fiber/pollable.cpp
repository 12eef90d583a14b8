#include <hawser/fiber/pollable.h>

#include <poll.h>
#include <sched.h>

#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/sigpipe.h>
#include <hawser/base/store_before_loads.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>

namespace hawser {
namespace {

using detail::Fiber;
using detail::Loop;
using detail::Watch;

constexpr std::uint32_t kOperationsInARow = 64;

// Only the fiber waits.
void close_aside(UniqueFd fd) noexcept {
  const Shield shield;
  try {
    offload([&fd] { fd.reset(); });
  } catch (const std::exception&) {
    // No thread is to be had: it is closed here, by its destructor.
  }
}

}  // namespace

Pollable::Pollable(UniqueFd fd) : Pollable(std::move(fd), Nonblocking()) { set_nonblocking(fd_.get(), true); }

Pollable::Pollable(UniqueFd fd, Nonblocking) noexcept : fd_(std::move(fd)) { detail::ignore_sigpipe_once(); }

Pollable::~Pollable() { close(); }

bool Pollable::closed() const noexcept { return state_.load(std::memory_order_acquire) & kClosed; }

void Pollable::close() noexcept {
  if (!shut()) return;
  drop_watches();
  if (closes_slowly() && in_fiber()) close_aside(std::move(fd_));
  fd_.reset();
}

UniqueFd Pollable::detach() noexcept {
  if (!shut()) return {};
  for (Watch* watch = watches_.load(std::memory_order_acquire); watch; watch = watch->next) {
    watch->loop->engine().forget(watch->fd);
  }
  drop_watches();
  return UniqueFd(fd_.release());
}

void Pollable::forget_parents_uses() noexcept {
  const std::uint32_t now = detail::fork_generation();
  if (generation_.exchange(now, std::memory_order_relaxed) == now) return;
  for (auto& slot : parked_) slot.store(nullptr, std::memory_order_relaxed);
  watches_.store(nullptr, std::memory_order_relaxed);
  state_.fetch_and(kClosed, std::memory_order_seq_cst);
}

bool Pollable::shut() noexcept {
  come_through_fork();
  const std::uint32_t before = state_.fetch_or(kClosed, std::memory_order_seq_cst);
  if (before & kClosed) return false;
  for (auto& slot : parked_) {
    if (Parked* parked = slot.exchange(nullptr, std::memory_order_seq_cst)) {
      parked->waiter.unpark();
      parked->released.store(true, std::memory_order_release);
    }
  }
  Waiter waiter("close");
  closer_ = &waiter;
  std::uint32_t state = state_.load(std::memory_order_acquire);
  while (state & kBusy) {
    if (!state_.compare_exchange_weak(state, state | kCloserWaits, std::memory_order_acq_rel)) continue;
    waiter.park_uninterrupted();
    break;
  }
  return true;
}

void Pollable::leave(std::uint32_t share) noexcept {
  std::uint32_t state = state_.load(std::memory_order_acquire);
  for (;;) {
    std::uint32_t next = state - share;
    // The closer waits for us, and so for its Waiter; the Pollable itself may be gone once the state has changed.
    Waiter* closer = nullptr;
    if ((state & kCloserWaits) && !(next & kBusy)) {
      closer = closer_;
      next &= ~std::uint32_t{kCloserWaits};
    }
    if (!state_.compare_exchange_weak(state, next, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    if (closer) closer->unpark();
    return;
  }
}

void Pollable::drop_watches() noexcept {
  Watch* watch = watches_.exchange(nullptr, std::memory_order_acquire);
  while (watch) {
    Watch* next = watch->next;
    watch->loop->retire(*watch);
    watch = next;
  }
}

Watch* Pollable::make_watch() {
  Loop& loop = *Loop::current();
  Watch* head = watches_.load(std::memory_order_acquire);
  Watch& fresh = loop.add_watch(fd_.get(), is_bound_.load(std::memory_order_relaxed));
  do {
    fresh.next = head;
  } while (!watches_.compare_exchange_weak(head, &fresh, std::memory_order_acq_rel, std::memory_order_acquire));
  return &fresh;
}

int Pollable::pin(const char* operation, const std::string& object) {
  come_through_fork();
  if (state_.fetch_add(kPin, std::memory_order_acq_rel) & kClosed) {
    leave(kPin);
    throw SocketClosed(operation, object);
  }
  return fd_.get();
}

inline Watch* Pollable::known_watch(const Loop* loop) const noexcept {
  if (!loop) return nullptr;
  Watch* known = watches_.load(std::memory_order_acquire);
  while (known && known->loop != loop) known = known->next;
  return known;
}

Pollable::Use::Use(Pollable& pollable, Direction direction, const char* operation, const std::string& object)
    : pollable_(pollable), direction_(direction), operation_(operation), object_(object), watch_(nullptr) {
  if (Fiber* fiber = Loop::current_fiber()) {
    ++fiber->operations;
    if (fiber->cancel_requested || fiber->operations >= kOperationsInARow) [[unlikely]]
      stop_or_yield(*fiber);
  }
  pollable.come_through_fork();
  const std::uint32_t before = pollable.state_.fetch_or(bit(), std::memory_order_seq_cst);
  if (before & (kClosed | bit())) [[unlikely]]
    refuse(before);
  watch_ = pollable.known_watch(Loop::current());
}

void Pollable::Use::stop_or_yield(Fiber& fiber) const {
  if (fiber.cancel_due()) throw_unless_ready(Wake::cancelled, operation_);
  if (fiber.operations < kOperationsInARow) return;
  fiber.operations = 0;
  yield();
  check_cancelled();
}

void Pollable::Use::refuse(std::uint32_t before) const {
  if (before & kClosed) {
    if (!(before & bit())) pollable_.leave(bit());
    throw SocketClosed(operation_, object_);
  }
  throw std::logic_error(std::string(operation_) + " " + object_ + ": two " +
                         (direction_ == Direction::read ? "readers" : "writers") + " at once");
}

Pollable::Use::~Use() { pollable_.leave(bit()); }

bool Pollable::Use::maybe_ready() const noexcept {
  if (watch_) return watch_->ready[side()];
  return !pollable_.dry_[side()] || !Loop::current();
}

void Pollable::Use::drained() noexcept {
  if (watch_) {
    watch_->drained(direction_);
  } else {
    pollable_.dry_[side()] = true;
  }
}

void Pollable::Use::came_short() noexcept {
  if (watch_) {
    watch_->came_short(direction_);
  } else {
    pollable_.dry_[side()] = true;
  }
}

Wake Pollable::Use::wait(Expiry expiry, detail::EagerCall* eager) {
  Fiber* const fiber = Loop::current_fiber();
  if (fiber) {
    if (!watch_) {
      // Another direction's Use may have made one since.
      watch_ = pollable_.known_watch(&fiber->loop);
      if (!watch_) watch_ = pollable_.make_watch();
      watch_->ready[side()] = false;  // the call that led here has tried
    }
    if (watch_->ready[side()]) return Wake::ready;
  }
  Parked parked(operation_);
  parked.waiter.set_object(&object_, fd());
  if (!fiber) parked.waiter.use_bell();
  auto& slot = pollable_.parked_[side()];
  detail::store_before_loads(slot, &parked);
  Wake why = Wake::ready;
  // Sequentially consistent with shut(): either it sees what we stored, or we see that it is closed.
  if (!(pollable_.state_.load(std::memory_order_seq_cst) & kClosed)) {
    if (fiber) {
      watch_->waiters[side()] = &parked.waiter;
      if (direction_ == Direction::read) watch_->eager = eager;
      detail::Engine& engine = watch_->loop->engine();
      engine.expect(*watch_, direction_);
      why = parked.waiter.park(expiry);
      watch_->waiters[side()] = nullptr;
      if (direction_ == Direction::read) watch_->eager = nullptr;
      engine.settle(*watch_, direction_);
      if (why == Wake::ready) {
        fiber->operations = 0;  // it has let others run
      } else {
        watch_->ready[side()] = true;  // the engine may not have been asked meanwhile: the next call asks the kernel
      }
    } else {
      why = parked.waiter.park_on_descriptor(fd(), direction_ == Direction::read ? POLLIN : POLLOUT, expiry);
    }
  }
  if (!slot.exchange(nullptr, std::memory_order_seq_cst)) {
    // shut() is between taking us and letting go: a few instructions, unless it lost its processor.
    while (!parked.released.load(std::memory_order_acquire)) ::sched_yield();
  }
  if (pollable_.closed()) throw SocketClosed(operation_, object_);
  return why;
}

}  // namespace hawser
