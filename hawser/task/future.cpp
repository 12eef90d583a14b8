#include <hawser/task/future.h>

namespace hawser {

std::exception_ptr AnyFuture::exception(Timeout timeout) const {
  if (!state_->wait(Expiry::of(timeout))) detail::throw_future_timeout();
  if (state_->cancelled()) throw FutureCancelled();
  return state_->error();
}

void detail::throw_future_timeout() { throw TimedOut("future: timed out"); }

}  // namespace hawser
