#include <hawser/serve/stream_handler.h>

#include <exception>

#include <hawser/base/errors.h>

namespace hawser {
namespace {

// Not when the time is up: sending would wait for the peer once more.
bool may_still_send(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const TimedOut&) {
    return false;
  } catch (const DeadlineExceeded&) {
    return false;
  } catch (const Cancelled&) {
    return false;
  } catch (...) {
    return true;
  }
}

}  // namespace

void StreamHandler::serve(Socket& peer) {
  socket_ = &peer;
  input_.emplace(peer);
  output_.emplace(peer);
  input_->tie(&*output_);
  setup();
  std::exception_ptr failure;
  try {
    handle();
    output_->flush();
  } catch (...) {
    failure = std::current_exception();
  }
  try {
    finish();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  if (!failure || may_still_send(failure)) {
    try {
      output_->flush();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hawser
