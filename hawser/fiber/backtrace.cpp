#include <hawser/fiber/backtrace.h>

#include <unwind.h>

#include <hawser/fiber/stack.h>
#include <hawser/fiber/swap_stack.h>
#include <hawser/fiber/switch.h>

// What runs on a stack that it does not belong to must leave the sanitizers' books alone.
#define HAWSER_ANY_STACK __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

namespace hawser::detail {
namespace {

// What the unwinder takes for itself; it has been seen to use two and a half.
constexpr std::ptrdiff_t kRoomBytes = std::ptrdiff_t{12} * 1024;

}  // namespace

HAWSER_ANY_STACK int Backtrace::visit(void* context, void* into) {
  auto& trace = *static_cast<Backtrace*>(into);
  if (trace.count_ == kMost) return _URC_END_OF_STACK;
  int before_instruction = 0;
  const _Unwind_Ptr at = _Unwind_GetIPInfo(static_cast<_Unwind_Context*>(context), &before_instruction);
  if (at == 0) return _URC_END_OF_STACK;
  // An interrupted function: what came before is the signal's handler.
  if (before_instruction) trace.count_ = 0;
  // A return address may lie behind the function that called: its last byte of the call never does.
  trace.frames_.data()[trace.count_++] = before_instruction ? at : at - 1;
  return _URC_NO_REASON;
}

HAWSER_ANY_STACK void Backtrace::unwind(void* into) {
  _Unwind_Backtrace(
      [](_Unwind_Context * context, void* trace) __attribute__((no_sanitize("address", "thread", "undefined")))
          ->_Unwind_Reason_Code { return static_cast<_Unwind_Reason_Code>(visit(context, trace)); },
      into);
}

void Backtrace::take() noexcept {
  count_ = 0;
  unwind(this);
}

void Backtrace::take_from(const Flow& flow, const Stack& stack) noexcept {
  count_ = 0;
  if (static_cast<std::byte*>(flow.suspended_at()) - stack.low < kRoomBytes) return;
  hawser_call_on_stack(flow.suspended_at(), &Backtrace::unwind, this);
}

void Backtrace::prepare() noexcept {
  Backtrace trace;
  trace.take();
}

}  // namespace hawser::detail
