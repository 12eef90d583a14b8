#include <hawser/fiber/cancellation.h>

#include <hawser/fiber/context.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/waiter.h>

namespace hawser {

using detail::Context;

Shield::Shield() noexcept { ++Context::current().shields; }
Shield::~Shield() { --Context::current().shields; }

bool cancel_requested() noexcept { return Context::current().cancel_requested; }

void check_cancelled() {
  Context& context = Context::current();
  if (context.cancel_due()) throw_unless_ready(Wake::cancelled, "check_cancelled");
  const Deadline* nearest = context.nearest_deadline();
  if (nearest && nearest->passed()) throw_unless_ready(Wake::deadline, "check_cancelled");
}

}  // namespace hawser
