#include <hawser/serve/stream_handler.h>

#include <exception>

namespace hawser {

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
    if (!failure) output_->flush();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hawser
