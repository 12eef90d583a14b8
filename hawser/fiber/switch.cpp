#include <hawser/fiber/switch.h>

#include <cxxabi.h>

#include <cerrno>

#include <hawser/fiber/swap_stack.h>

#if defined(HAWSER_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(HAWSER_TSAN)
#include <sanitizer/tsan_interface.h>

#include <hawser/base/held_signals.h>
#endif

namespace hawser::detail {
namespace {

// Itanium C++ ABI, 2.2.2: the layout is fixed, the type's name is not public.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

// Where the thread keeps what is to be the flow's own. A fiber stays on its thread, so the addresses may be kept for
// the thread's life.
struct Registers {
  int* error_number;
  ExceptionGlobals* exceptions;
};

[[gnu::tls_model("initial-exec")]] constinit thread_local Registers t_registers{nullptr, nullptr};

// Apart, so that the usual switch has nothing to keep over the call.
[[gnu::noinline, gnu::cold]] void find_registers_and_switch(Flow& from, Flow& to) noexcept {
  t_registers = {&errno, reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals())};
  from.switch_to(to);
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
#if defined(HAWSER_ASAN)
  self->arrived();
#endif
  self->entry_(*self);
}

#if defined(HAWSER_ASAN)
void Flow::arrived() noexcept {
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &bytes);
  if (!origin_->stack_bottom_) {
    origin_->stack_bottom_ = bottom;
    origin_->stack_bytes_ = bytes;
  }
}
#endif

// Everything that is the flow's own is exchanged before the stacks are: then nothing is left to do afterwards, and the
// swap returns straight to where the other flow had called. No object lies in this frame: a fiber's last switch never
// returns, and AddressSanitizer would guard what it left in the way of the next fiber on that stack.
void Flow::switch_to(Flow& to) noexcept {
  if (!t_registers.error_number) [[unlikely]]
    return find_registers_and_switch(*this, to);
  int& error_number = *t_registers.error_number;
  ExceptionGlobals& exceptions = *t_registers.exceptions;
  error_number_ = error_number;
  caught_exceptions_ = exceptions.caught;
  uncaught_exceptions_ = exceptions.uncaught;
  error_number = to.error_number_;
  exceptions.caught = to.caught_exceptions_;
  exceptions.uncaught = to.uncaught_exceptions_;
#if defined(HAWSER_ASAN)
  to.origin_ = this;
  __sanitizer_start_switch_fiber(&fake_stack_, to.stack_bottom_, to.stack_bytes_);
#endif
#if defined(HAWSER_TSAN)
  {
    const HeldSignals held;  // what was put off is kept with the fiber, which may not run again for long
    __tsan_switch_to_fiber(to.tsan_fiber_, 0);
  }
#endif
  hawser_swap_stack(&saved_stack_, to.saved_stack_);
#if defined(HAWSER_ASAN)
  arrived();
#endif
}

}  // namespace hawser::detail
