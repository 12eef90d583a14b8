// Engine: how a loop learns that descriptors are ready and how it sleeps: the seam between the scheduler and epoll or
// io_uring. Internal. One engine a loop; all calls come from the loop's thread except prepare(), wake() and forget().
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/inbox.h>
#include <hawser/fiber/tally.h>

namespace hawser {

class Waiter;
enum class Direction : std::uint8_t;

namespace detail {

// The system call a parked fiber is going to make. The loop makes it when it reports the descriptor ready, before any
// of those that it has woken runs: many of the same kind in a row cost the kernel less than each in its fiber's turn.
// It lies on the fiber's stack.
struct EagerCall {
  ssize_t (*call)(void* subject) noexcept = nullptr;
  void* subject = nullptr;
  std::size_t drained_below = 0;  // a smaller result, other than 0, tells that nothing is left
  bool made = false;              // and did not say EAGAIN
  int error = 0;
  ssize_t result = 0;
};

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
  EagerCall* eager = nullptr;  // of who waits to read
  bool ready[2] = {false, false};
  bool bound = false;        // to an address that is to be free when the process is gone
  bool more_behind = false;  // an end, an error or urgent data was reported: a read that comes short is not the last
  // Told of each report, in the loop's own flow; null: nobody.
  void (*listen)(void* listener) noexcept = nullptr;
  void* listener = nullptr;

  // What an engine that is asked anew for each wait keeps for a direction. An Use does not end before state is none.
  struct Request {
    enum class State : std::uint8_t { none, asked, under_way, cancelled };
    Request* next = nullptr;  // those for which there was no room yet
    Watch* watch = nullptr;
    State state = State::none;
    bool queued = false;
    bool odd = false;       // the last report was about something else than what is waited for
    bool repeated = false;  // the request goes on after a report
  };
  Request requests[2];

  // Marks what has happened and wakes who waits for it.
  void report(bool readable, bool writable, bool has_more_behind) noexcept;
  // Marks that a call has just found nothing (EAGAIN).
  void drained(Direction direction) noexcept;
  // Marks that a stream has just given, or taken, less than was asked.
  void came_short(Direction direction) noexcept;

 private:
  void make_eager_call() noexcept;
};

// How many events a turn takes. Of more, what belongs to them, in the kernel and here, would leave the caches between a
// receipt and its answer; and a peer that sends to many connections would have nothing to do while all are received
// for.
inline constexpr unsigned kEventsATurn = 32;

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const char* name() const noexcept = 0;

  // Around each run(). prepare(): on any thread, nobody else using the engine; here: the loop will run on this very
  // thread. Throws SystemError. begin() and end(): on the loop's thread.
  virtual void prepare(bool here) = 0;
  virtual void begin() = 0;
  virtual void end() noexcept = 0;

  // Takes note of watch.fd. An engine that reports unasked does so from now on, edge by edge, beginning with the
  // present state. Throws SystemError.
  virtual void add(Watch& watch) = 0;
  // Stops that, for a descriptor that lives on. Closing it does the same. From any thread.
  virtual void forget(int fd) noexcept = 0;

  // In the fiber that waits for a direction. expect(): it is about to park, and wants to hear when a call is worth
  // another try. settle(): it has been woken, for whatever reason; returns when the kernel has let go of the
  // descriptor.
  virtual void expect(Watch& watch, Direction direction) noexcept = 0;
  virtual void settle(Watch& watch, Direction direction) noexcept = 0;

  // Sleeps until something is ready, wake() is called or the expiry passes, and reports to the watches. poll: does not
  // sleep.
  virtual void wait(Expiry expiry) = 0;
  virtual void poll() = 0;

  // Ends the present or the next wait(). From any thread.
  virtual void wake() noexcept = 0;

  // Requests handed to the kernel, and the system calls that did so or waited. Any thread.
  [[nodiscard]] std::uint64_t submits() const noexcept { return submits_; }
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

 protected:
  Tally submits_;
  Tally calls_;
};

enum class EngineKind : std::uint8_t { epoll, uring };

// Which engines run() may use, the one it should try first in front, by HAWSER_ENGINE.
struct EngineWish {
  std::vector<EngineKind> kinds;  // not empty
  std::string why;                // for engine_in_use(), when it is the first
};
// Throws std::invalid_argument for a name that is unknown.
EngineWish wished_engines();

// Throw SystemError when the kernel refuses.
std::unique_ptr<Engine> make_engine(EngineKind kind, Loop& loop);
std::unique_ptr<Engine> make_epoll_engine(Loop& loop);
std::unique_ptr<Engine> make_uring_engine();

}  // namespace detail
}  // namespace hawser
