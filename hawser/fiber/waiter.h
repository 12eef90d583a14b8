// Waiter: parks the current context, be it a fiber (another fiber runs) or a plain thread (futex), and is woken from
// anywhere. It is the base of every blocking call: locks, queues, tasks and sockets are built on it, which is why each
// of them works in a fiber, in a thread, and between the two.
//
// One Waiter serves one wait of the context that made it, on that context's stack:
//
//   Waiter waiter;
//   enqueue(&waiter);                      // under the object's own lock
//   Wake why = waiter.park(expiry);        // ready: somebody called unpark()
//   if (why != Wake::ready && !dequeue(&waiter)) why = Wake::ready;  // lost the race: somebody had chosen us already
//
// Lifetime: unpark() touches the Waiter only up to its atomic exchange, so whoever takes a Waiter off a list under the
// list's lock may unpark it there. A waiter that leaves early takes itself off that list under the same lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/base/clock.h>
#include <hawser/fiber/identity.h>

namespace hawser {

namespace detail {
class Context;
class Fiber;
class TaskState;
class Timer;
struct DebugLayout;
}  // namespace detail

// Why park() came back.
enum class Wake : std::uint8_t {
  ready,      // unpark() was called
  expired,    // the expiry given to park() passed
  deadline,   // a Deadline scope around the wait ran out first
  cancelled,  // the fiber was asked to stop
};

class Waiter {
 public:
  // Binds to the current context. `what` names what is waited for, for dumps; it must be a literal or outlive the wait.
  // So must its name, if it has one.
  explicit Waiter(const char* what = "wait", const char* name = nullptr) noexcept;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Waits until unpark(), the expiry, the nearest Deadline scope or a cancellation. When unpark() came first, returns
  // ready at once. Spurious returns do not happen. Never throws: the caller turns the reason into its own error (see
  // throw_unless_ready). May be called again after it returned: an unpark() that came too late for one park() makes the
  // next one return ready.
  [[nodiscard]] Wake park(Expiry expiry = Expiry::never()) noexcept;

  // The same, but neither deadlines nor cancellation end it: for clean-up that must finish.
  void park_uninterrupted() noexcept;

  // Makes park() return ready, now or when it is called. From any thread or fiber; never blocks; not from a signal
  // handler. Returns false when the wait had already ended for another reason.
  bool unpark() noexcept;

  // Whether park() has begun and nothing has ended it yet. On the context's own thread.
  [[nodiscard]] bool parked() const noexcept { return state_.load(std::memory_order_relaxed) == kParked; }

  // For Pollable, on a plain thread: park_on_descriptor() waits for a descriptor (events as in poll(2)) or for
  // unpark(); use_bell() comes first, before anybody else knows the Waiter.
  void use_bell() noexcept;
  [[nodiscard]] Wake park_on_descriptor(int fd, short events, Expiry expiry) noexcept;

  // For dumps: the object of the wait, such as a peer, and its descriptor. Before park(); must outlive the wait.
  void set_object(const std::string* object, int fd = -1) noexcept {
    object_ = object;
    fd_ = fd;
  }
  // For dumps: who holds what is waited for, 0 while that is not known. As above.
  void set_holder(const std::atomic<detail::Identity>* holder) noexcept { holder_ = holder; }

  [[nodiscard]] const char* what() const noexcept { return what_; }
  // Null: nothing was said.
  [[nodiscard]] const std::string* object() const noexcept { return object_; }
  // Null: it has none.
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] detail::Identity holder() const noexcept {
    return holder_ ? holder_->load(std::memory_order_relaxed) : 0;
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

  // A fiber's own timer has fired. For the loop.
  static void time_out(detail::Timer& timer) noexcept;

 private:
  friend class detail::TaskState;
  friend struct detail::DebugLayout;
  enum State : std::uint32_t { kIdle, kParked, kReady, kEnded };

  Wake park_thread(Expiry expiry) noexcept;
  Wake park_fiber(detail::Fiber& fiber, Expiry expiry, bool interruptible) noexcept;
  // The wait ends before it begins, for this reason, unless unpark() came first.
  Wake decline(Wake why) noexcept;
  // Moves to kParked; false when unpark() had come first, which it takes back to kIdle.
  bool begin() noexcept;
  // Ends the wait for another reason, from the context's own thread. False when it had ended already.
  bool interrupt(Wake why) noexcept;

  std::atomic<std::uint32_t> state_{kIdle};
  Wake why_ = Wake::ready;  // written on the context's own thread only
  int bell_ = -1;           // eventfd of a thread that waits in poll(2)
  int fd_ = -1;
  detail::Context* context_;
  const char* what_;
  const char* name_;
  const std::atomic<detail::Identity>* holder_ = nullptr;
  const std::string* object_ = nullptr;
};

// Turns a reason into the matching error: TimedOut, DeadlineExceeded or Cancelled, saying what `operation` was.
void throw_unless_ready(Wake why, std::string_view operation);

}  // namespace hawser
