#include <hawser/fiber/switch.h>

#include <cxxabi.h>

#include <cerrno>

#include <hawser/fiber/swap_stack.h>

#if defined(HAWSER_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(HAWSER_TSAN)
#include <sanitizer/tsan_interface.h>

#include <hawser/base/sleeping_calls.h>
#endif

namespace hawser::detail {
namespace {

// Itanium C++ ABI, 2.2.2: the layout is fixed, the type's name is not public.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

constinit thread_local ExceptionGlobals* t_globals = nullptr;

// A fiber stays on its thread, so the address may be kept for the thread's life.
ExceptionGlobals& exception_globals() noexcept {
  if (!t_globals) t_globals = reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
  return *t_globals;
}

}  // namespace

Flow::Flow() noexcept {
#if defined(HAWSER_TSAN)
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Flow::Flow([[maybe_unused]] Stack stack, std::byte* top, void (*entry)(Flow& self)) noexcept
    : saved_stack_(fresh_stack(top, &Flow::start, this)), entry_(entry) {
#if defined(HAWSER_ASAN)
  stack_bottom_ = stack.low;
  stack_bytes_ = stack.size();
#endif
#if defined(HAWSER_TSAN)
  tsan_fiber_ = __tsan_create_fiber(0);
  own_tsan_fiber_ = true;
#endif
}

Flow::~Flow() {
#if defined(HAWSER_TSAN)
  if (own_tsan_fiber_) __tsan_destroy_fiber(tsan_fiber_);
#endif
}

void Flow::start(void* flow) noexcept {
  auto* self = static_cast<Flow*>(flow);
  self->arrived();
  self->entry_(*self);
}

void Flow::arrived() noexcept {
#if defined(HAWSER_ASAN)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &bytes);
  if (!origin_->stack_bottom_) {
    origin_->stack_bottom_ = bottom;
    origin_->stack_bytes_ = bytes;
  }
#endif
}

void Flow::switch_to(Flow& to) noexcept {
  const int saved_errno = errno;
  ExceptionGlobals& globals = exception_globals();
  caught_exceptions_ = globals.caught;
  uncaught_exceptions_ = globals.uncaught;
  globals.caught = to.caught_exceptions_;
  globals.uncaught = to.uncaught_exceptions_;
#if defined(HAWSER_ASAN)
  to.origin_ = this;
  __sanitizer_start_switch_fiber(&fake_stack_, to.stack_bottom_, to.stack_bytes_);
#endif
#if defined(HAWSER_TSAN)
  {
    const sleeping::HeldSignals held;  // what was put off is kept with the fiber, which may not run again for long
    __tsan_switch_to_fiber(to.tsan_fiber_, 0);
  }
#endif
  hawser_swap_stack(&saved_stack_, to.saved_stack_);
  arrived();
  errno = saved_errno;
}

}  // namespace hawser::detail
