#include <hawser/fiber/context.h>

#include <exception>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/loop.h>

namespace hawser::detail {

Context& Context::current() noexcept {
  if (Fiber* fiber = Loop::current_fiber()) return *fiber;
  struct ThreadContext final : Context {};
  thread_local ThreadContext own;
  return own;
}

Fiber* Context::current_fiber() noexcept { return Loop::current_fiber(); }

bool Context::may_be_cancelled() const noexcept { return shields == 0 && std::uncaught_exceptions() == 0; }

const Deadline* Context::nearest_deadline() const noexcept { return deadline ? deadline->nearest() : nullptr; }

}  // namespace hawser::detail
