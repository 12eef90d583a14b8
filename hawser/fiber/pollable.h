// Pollable: an owned, non-blocking descriptor that fibers and threads can wait on, and that can be closed under them.
//
// Each direction (read, write) has room for one operation at a time. An operation holds a Use while it makes its system
// calls and waits; close() refuses new uses, wakes those that wait, lets the last one leave, and only then closes the
// number, so that it is never reused under an operation. All calls may come from any thread or fiber.
//
// The first Pollable of the process ignores SIGPIPE if its action is still the default, since neither sendfile(2) nor a
// write to a pipe can be told otherwise: a broken pipe is an error (EPIPE), never the end of the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>
#include <hawser/base/fork.h>
#include <hawser/fiber/waiter.h>

namespace hawser {

enum class Direction : std::uint8_t { read, write };

namespace detail {
class Fiber;
class Loop;
struct EagerCall;
struct Watch;
}  // namespace detail

class Pollable {
 public:
  // Holds nothing: closed from the start.
  Pollable() noexcept : state_(kClosed) {}
  // Takes the descriptor and makes it non-blocking. Throws SystemError.
  explicit Pollable(UniqueFd fd);
  // Takes one that was made non-blocking (SOCK_NONBLOCK, accept4(2)), which spares the system calls that find out.
  struct Nonblocking {};
  Pollable(UniqueFd fd, Nonblocking) noexcept;
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;
  // Closes. Nobody may be using it.
  ~Pollable();

  // The number; -1 once closed.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] bool closed() const noexcept;

  // Idempotent. Waits until no operation is left on the descriptor; those that waited have been woken. Never throws.
  void close() noexcept;
  // Gives the descriptor up without closing it, under the same rules.
  [[nodiscard]] UniqueFd detach() noexcept;

  // Says that it has an address that was asked for, before anybody waits on it: then no engine holds on to it, and the
  // address is free as soon as the process is gone, however it went.
  void bound() noexcept { is_bound_.store(true, std::memory_order_relaxed); }

  // Says that close(2) may wait for long (SO_LINGER, socket(7)): a fiber has it done aside then, and its loop goes on.
  void close_slowly(bool on) noexcept { closes_slowly_.store(on, std::memory_order_relaxed); }
  [[nodiscard]] bool closes_slowly() const noexcept { return closes_slowly_.load(std::memory_order_relaxed); }

  // Holds the descriptor open for a system call that does not wait (an option, an address, shutdown) until unpin(). Any
  // number at a time. Throws SocketClosed; operation and object are for the message.
  [[nodiscard]] int pin(const char* operation, const std::string& object);
  void unpin() noexcept { leave(kPin); }

  class Use;

 private:
  friend class Use;
  // kCloserWaits: whoever leaves last wakes closer_. From kPin on, a count.
  enum State : std::uint32_t { kReading = 1, kWriting = 2, kClosed = 4, kCloserWaits = 8, kPin = 16 };
  static constexpr std::uint32_t kBusy = ~std::uint32_t{kClosed | kCloserWaits};
  // A parked operation. Whoever takes it out of its slot unparks it and then sets `released`, the last touch.
  struct Parked {
    explicit Parked(const char* operation) noexcept : waiter(operation) {}
    Waiter waiter;
    std::atomic<bool> released{false};
  };

  // In a forked child, once: forgets the uses of the parent's fibers and threads, which will never end here.
  void come_through_fork() noexcept {
    if (generation_.load(std::memory_order_relaxed) != detail::fork_generation()) forget_parents_uses();
  }
  void forget_parents_uses() noexcept;
  // Refuses new uses, wakes those that wait and sees them out. False when somebody else has closed it before.
  [[nodiscard]] bool shut() noexcept;
  // Takes a bit, or one pin, out of the state. The last touch of the Pollable.
  void leave(std::uint32_t share) noexcept;
  void drop_watches() noexcept;
  // The registration with that loop. Null when there is none.
  [[nodiscard]] detail::Watch* known_watch(const detail::Loop* loop) const noexcept;
  // One with the current loop, which has none yet.
  [[nodiscard]] detail::Watch* make_watch();

  UniqueFd fd_;
  std::atomic<bool> is_bound_{false};
  std::atomic<bool> closes_slowly_{false};
  std::atomic<std::uint32_t> state_{0};
  std::atomic<std::uint32_t> generation_{detail::fork_generation()};
  std::atomic<Parked*> parked_[2] = {nullptr, nullptr};  // indexed by Direction
  Waiter* closer_ = nullptr;                             // set before kCloserWaits
  std::atomic<detail::Watch*> watches_{nullptr};
  bool dry_[2] = {false, false};  // was drained before there was a watch to note it in; the Use of that direction only
};

// The right to operate on one direction of a Pollable. Making one is a cancellation point, and now and then lets other
// fibers run, so that a descriptor that is always ready starves nobody.
class Pollable::Use {
 public:
  // Throws SocketClosed when it is closed, std::logic_error when another operation is under way in the same direction
  // ("two readers at once"), Cancelled and DeadlineExceeded. operation and object are for the messages.
  Use(Pollable& pollable, Direction direction, const char* operation, const std::string& object);
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use();

  [[nodiscard]] int fd() const noexcept { return pollable_.fd_.get(); }

  // False when it is known that the next system call would say EAGAIN, so that the caller can wait straight away.
  [[nodiscard]] bool maybe_ready() const noexcept;
  // Says that the descriptor has just been drained (EAGAIN).
  void drained() noexcept;
  // Says that a stream gave or took less than was asked, which on most means the same.
  void came_short() noexcept;

  // Waits until the system call is worth another try. Returns ready, expired, deadline or cancelled; throws
  // SocketClosed when it is closed meanwhile, SystemError when it can't be waited on. eager: the call that would come
  // next, of a reader; where it has been made by the time that wait() returns, it says so.
  [[nodiscard]] Wake wait(Expiry expiry, detail::EagerCall* eager = nullptr);

 private:
  // The rare parts of the constructor, apart so that the usual case makes no room for them.
  void stop_or_yield(detail::Fiber& fiber) const;
  [[noreturn]] void refuse(std::uint32_t before) const;
  [[nodiscard]] std::size_t side() const noexcept { return static_cast<std::size_t>(direction_); }
  [[nodiscard]] std::uint32_t bit() const noexcept { return direction_ == Direction::read ? kReading : kWriting; }

  Pollable& pollable_;
  Direction direction_;
  const char* operation_;
  const std::string& object_;
  detail::Watch* watch_;
};

}  // namespace hawser
