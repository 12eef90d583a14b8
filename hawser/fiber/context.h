// Context: what the runtime keeps for a flow of control, be it a fiber or a plain thread: the Deadline scopes around it
// and whether it was asked to stop. Fiber: a Context with a stack of its own. Internal.
#pragma once

#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/inbox.h>
#include <hawser/fiber/runnable.h>
#include <hawser/fiber/switch.h>
#include <hawser/fiber/timers.h>

namespace hawser {

class Deadline;
class Waiter;

namespace detail {

class Fiber;
class LocalValues;
class Loop;
class TaskState;

class Context {
 public:
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The running fiber, or the thread's own context outside fibers.
  static Context& current() noexcept;
  // The running fiber; null on a plain thread.
  static Fiber* current_fiber() noexcept;

  [[nodiscard]] Fiber* fiber() noexcept { return fiber_; }

  // Whether a wait of this context must end now, when it may be interrupted at all: not while an exception is
  // unwinding it, since a second one from a destructor would end the process.
  [[nodiscard]] bool cancel_due() const noexcept { return cancel_requested && may_be_cancelled(); }
  // The nearest Deadline scope; null when there is none.
  [[nodiscard]] const Deadline* nearest_deadline() const noexcept;

  Deadline* deadline = nullptr;  // innermost scope
  std::uint32_t shields = 0;
  bool cancel_requested = false;
  LocalValues* locals = nullptr;  // owned

  // On the context itself, at its end, with kills held back.
  void destroy_locals() noexcept;

 protected:
  explicit Context(Fiber* self) noexcept : fiber_(self) {}
  ~Context() = default;

 private:
  [[nodiscard]] bool may_be_cancelled() const noexcept;
  Fiber* fiber_ = nullptr;
};

class Fiber final : public Runnable, public Context, public Flow {
 public:
  Fiber(Loop& on, Stack stack, std::byte* top, void (*entry)(Flow&)) noexcept
      : Runnable(Kind::fiber), Context(this), Flow(stack, top, entry), loop(on), own_stack(stack) {
    timer.owner = this;
  }

  static Fiber& of_wake_message(Message& message) noexcept { return *static_cast<WakeMessage&>(message).fiber; }

  Loop& loop;
  Stack own_stack;
  TaskState* task = nullptr;  // what it runs; holds one reference
  Waiter* waiter = nullptr;   // what it is parked on
  bool interruptible = false;
  Duration::rep parked_since = 0;  // Loop::turn_began()
  Expiry park_expiry;              // when its own patience ends, as against a Deadline's
  Timer timer;
  struct WakeMessage : Message {
    Fiber* fiber;
  } wake_message{{}, this};  // carries an unpark from another thread; at most one is under way
  Fiber* next_live = nullptr;
  Fiber* previous_live = nullptr;
  Fiber* next_idle = nullptr;
  std::uint32_t operations = 0;  // since the last time it let others run
};

}  // namespace detail
}  // namespace hawser
