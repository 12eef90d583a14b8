// LoopWaits: which fibers of a loop wait for which foreign descriptors. Internal.
//
// A descriptor of somebody else's library can't be registered with the loop's engine: it may be there already, as a
// Socket's; two fibers may wait for different things of it; it is closed without a word. So each loop has an epoll
// instance of its own for them, made at the first such wait, which the engine watches. A wait arms the descriptor for
// one report (EPOLLONESHOT) of all that is waited for on it. What was armed and is not waited for any more is reported
// once, and nobody minds; what was closed the kernel forgets by itself. Every waiter looks for itself after a report,
// so one that came for a former life of the number does no harm.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/fiber/inbox.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
class Loop;
struct Watch;
}  // namespace hawser::detail

namespace hawser::patch {

// One wait of a fiber, for any number of descriptors.
struct Wait {
  explicit Wait(const char* call) noexcept;
  Waiter waiter;
  std::uint64_t began;  // by the count of closes
  bool woken = false;
  bool closed = false;
};

// What a wait is interested in; listed while it lasts.
struct Interest {
  Wait* wait = nullptr;
  int fd = -1;
  std::uint32_t events = 0;
  Interest* next = nullptr;
  Interest* previous = nullptr;
};

class LoopWaits {
 public:
  // Of the loop that runs here. Throws SystemError, std::bad_alloc.
  static LoopWaits& here();
  // Ends the waits for a number that is about to be closed, on every loop of this process. Any thread.
  static void end_waits_everywhere(int fd) noexcept;

  // The loop's thread. False when the descriptor can't be watched; it is listed all the same. Throws std::bad_alloc,
  // and then it is not.
  [[nodiscard]] bool add(Interest& interest);
  void remove(Interest& interest) noexcept;

 private:
  struct Descriptor {
    Interest* first = nullptr;
    bool registered = false;  // has been, with this number
  };

  explicit LoopWaits(detail::Loop& loop);
  [[nodiscard]] bool arm(int fd) noexcept;
  void report(int fd, std::uint32_t events) noexcept;
  void take_reports() noexcept;
  void end_waits(int fd, std::uint64_t closes) noexcept;

  static constinit std::atomic<LoopWaits*> newest_;

  detail::Loop& loop_;
  const pid_t process_;
  UniqueFd epoll_;
  std::vector<Descriptor> descriptors_;  // by number
  LoopWaits* made_before_ = nullptr;
};

}  // namespace hawser::patch
