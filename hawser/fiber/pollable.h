// Pollable: an owned, non-blocking descriptor that fibers and threads can wait on, and that can be closed under them.
//
// Each direction (read, write) has room for one operation at a time. An operation holds a Use while it makes its system
// calls and waits; close() refuses new uses, wakes those that wait, lets the last one leave, and only then closes the
// number, so that it is never reused under an operation. All calls may come from any thread or fiber.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/waiter.h>

namespace hawser {

enum class Direction : std::uint8_t { read, write };

namespace detail {
struct Watch;
}

class Pollable {
 public:
  Pollable() = default;
  // Takes the descriptor and makes it non-blocking. `what` says what it is in errors, e.g. "socket".
  explicit Pollable(UniqueFd fd);
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

  class Use;

 private:
  friend class Use;
  struct Side {
    std::atomic<Waiter*> waiter{nullptr};
  };
  [[nodiscard]] bool shut(std::uint32_t how) noexcept;
  void leave(std::uint32_t bit) noexcept;

  UniqueFd fd_;
  std::atomic<std::uint32_t> state_{0};
  Side sides_[2];
  std::atomic<Waiter*> closer_{nullptr};
  std::atomic<detail::Watch*> watch_{nullptr};  // the registration with the loop that waited on it last
};

// The right to operate on one direction of a Pollable.
class Pollable::Use {
 public:
  // Throws SocketClosed when it is closed, std::logic_error when another operation is in the same direction ("two
  // readers at once"). operation is for the messages.
  Use(Pollable& pollable, Direction direction, const char* operation, const std::string& object);
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use();

  [[nodiscard]] int fd() const noexcept { return pollable_.fd(); }

  // False when it is known that the next system call would say EAGAIN, so that the caller can wait straight away.
  [[nodiscard]] bool maybe_ready() const noexcept;
  // Says that the descriptor has just been drained (EAGAIN, or a stream gave or took less than was asked).
  void drained() noexcept;

  // Waits until the system call is worth another try. Returns ready, expired, deadline or cancelled; throws
  // SocketClosed when it is closed meanwhile.
  [[nodiscard]] Wake wait(Expiry expiry);

 private:
  Pollable& pollable_;
  Direction direction_;
  const char* operation_;
  const std::string& object_;
};

}  // namespace hawser
