// Engine: how a loop learns that descriptors are ready and how it sleeps: the seam between the scheduler and epoll or
// io_uring. Internal. One engine a loop; all calls come from the loop's thread except wake() and forget().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <hawser/base/clock.h>
#include <hawser/fiber/inbox.h>

namespace hawser {

class Waiter;

namespace detail {

// A descriptor as one loop knows it. Its memory belongs to the loop and is used again after retirement, with another
// generation, so that an event that comes late finds nobody.
struct Watch {
  Message retire_message;  // sent to the loop by whoever closes the descriptor
  Loop* loop = nullptr;
  Watch* next = nullptr;  // of the same Pollable: the registrations with other loops
  int fd = -1;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  // Indexed by Direction. The loop's thread only.
  Waiter* waiters[2] = {nullptr, nullptr};
  bool ready[2] = {false, false};
  bool hung_up = false;  // an end or an error has been reported: worth one more try after a short read

  // Marks what has happened and wakes who waits for it.
  void report(bool readable, bool writable, bool end_or_error) noexcept;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const char* name() const noexcept = 0;

  // Reports readiness of watch.fd from now on, edge by edge, beginning with the present state. Throws SystemError.
  virtual void add(Watch& watch) = 0;
  // Stops that, for a descriptor that lives on. Closing it does the same. From any thread.
  virtual void forget(int fd) noexcept = 0;

  // Sleeps until something is ready, wake() is called or the expiry passes, and reports to the watches. poll: does not
  // sleep.
  virtual void wait(Expiry expiry) = 0;
  virtual void poll() = 0;

  // Ends the present or the next wait(). From any thread.
  virtual void wake() noexcept = 0;

 protected:
  // Which watch an event belongs to; null when it has been retired.
  [[nodiscard]] static Watch* find(Loop& loop, std::uint64_t tag) noexcept;
  [[nodiscard]] static std::uint64_t tag(const Watch& watch) noexcept {
    return (std::uint64_t{watch.generation} << 32) | watch.slot;
  }
};

// The engine for a loop: what HAWSER_ENGINE asks for, or the best there is. `why` says which and for what reason.
// Throws std::invalid_argument for a name that is unknown or not built.
std::unique_ptr<Engine> make_engine(Loop& loop, std::string& why);

std::unique_ptr<Engine> make_epoll_engine(Loop& loop);

}  // namespace detail
}  // namespace hawser
