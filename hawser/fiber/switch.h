// The context switch: moves a thread from one stack to another and back. Internal.
//
// swap_stack.h moves the registers and the floating-point control words; around it we keep what the C++ runtime holds a
// thread: the exceptions in flight (Itanium C++ ABI, __cxa_get_globals) and errno. AddressSanitizer and ThreadSanitizer
// are told of every switch.
#pragma once

#include <cstddef>

#include <hawser/fiber/stack.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAWSER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define HAWSER_TSAN 1
#endif

namespace hawser::detail {

// One flow of control that can be switched to: a fiber, or the thread's own stack.
class Flow {
 public:
  // The thread's own stack. Its bounds are learnt at the first switch away.
  Flow() noexcept;
  // A flow that starts in entry(self) when first switched to, at the high end of stack.
  Flow(Stack stack, std::byte* top, void (*entry)(Flow& self)) noexcept;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  ~Flow();

  // Leaves the running flow, *this, for `to`; returns when somebody switches back. Same thread always.
  void switch_to(Flow& to) noexcept;

  // Where its registers lie while it is not running.
  [[nodiscard]] void* suspended_at() const noexcept { return saved_stack_; }

 private:
  friend struct DebugLayout;
  static void start(void* self) noexcept;

  void* saved_stack_ = nullptr;
  void (*entry_)(Flow&) = nullptr;
  // What __cxa_get_globals() holds: caughtExceptions and uncaughtExceptions.
  void* caught_exceptions_ = nullptr;
  unsigned int uncaught_exceptions_ = 0;
  int error_number_ = 0;
#if defined(HAWSER_ASAN)
  void arrived() noexcept;
  void* fake_stack_ = nullptr;
  const void* stack_bottom_ = nullptr;
  std::size_t stack_bytes_ = 0;
  Flow* origin_ = nullptr;  // who switched here last
#endif
#if defined(HAWSER_TSAN)
  void* tsan_fiber_ = nullptr;
  bool own_tsan_fiber_ = false;
#endif
};

}  // namespace hawser::detail
