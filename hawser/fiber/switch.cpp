#include <hawser/fiber/switch.h>

#include <cxxabi.h>

#include <cerrno>

#if defined(HAWSER_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(HAWSER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace hawser::detail {
namespace {

// Itanium C++ ABI, 2.2.2: the layout is fixed, the type's name is not public.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

ExceptionGlobals& exception_globals() noexcept {
  // A fiber stays on its thread, so the address may be kept for the thread's life.
  thread_local auto* globals = reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
  return *globals;
}

}  // namespace

Flow::Flow() noexcept {
#if defined(HAWSER_TSAN)
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Flow::Flow([[maybe_unused]] Stack stack, std::byte* top, void (*entry)(Flow& self)) noexcept
    : context_(boost::context::detail::make_fcontext(top, static_cast<std::size_t>(top - stack.low), &Flow::start)),
      entry_(entry) {
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

void Flow::start(boost::context::detail::transfer_t from) noexcept {
  auto* pair = static_cast<Flow**>(from.data);
  Flow* self = pair[1];
  self->arrived(from);
  self->entry_(*self);
}

// Runs on the new stack: from.data is {where we came from, where we are}, on the stack of the former.
void Flow::arrived(boost::context::detail::transfer_t from) noexcept {
  Flow* origin = static_cast<Flow**>(from.data)[0];
  origin->context_ = from.fctx;
#if defined(HAWSER_ASAN)
  const void* bottom = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &bytes);
  if (!origin->stack_bottom_) {
    origin->stack_bottom_ = bottom;
    origin->stack_bytes_ = bytes;
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
  __sanitizer_start_switch_fiber(&fake_stack_, to.stack_bottom_, to.stack_bytes_);
#endif
#if defined(HAWSER_TSAN)
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  Flow* pair[2] = {this, &to};
  arrived(boost::context::detail::jump_fcontext(to.context_, pair));
  errno = saved_errno;
}

}  // namespace hawser::detail
