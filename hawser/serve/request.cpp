#include <hawser/serve/request.h>

#include <cerrno>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/net/buffered_reader.h>

namespace hawser {
namespace {

// An error that a caller up the stack would have caught; here there is none.
void log_error(const std::exception_ptr& error, const Socket& peer) noexcept {
  try {
    log_line(LogLevel::error, "request from " + peer.peer() + ": " + describe(error));
  } catch (const std::exception&) {
    log_line(LogLevel::error, "a request failed, and there is no memory to say how");
  }
}

// Closing is enough to tell the peer, unless a forked process holds a copy of the descriptor.
void shut_down(Socket& peer) noexcept {
  if (peer.closed() || !detail::has_forked()) return;
  try {
    peer.shutdown_write();
  } catch (const std::exception&) {  // it was reset, or closed meanwhile: nobody is left to be told
  }
}

}  // namespace

bool is_everyday_error(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (const TimedOut&) {
    return true;
  } catch (const DeadlineExceeded&) {
    return true;
  } catch (const EndOfStream&) {
    return true;
  } catch (const SocketClosed&) {
    return true;
  } catch (const SystemError& e) {
    const int number = e.error_number();
    return number == ECONNRESET || number == EPIPE || number == ETIMEDOUT || number == ENOTCONN;
  } catch (...) {
    return false;
  }
}

void RequestProcessor::run(Socket& peer) const noexcept {
  std::exception_ptr failure;
  try {
    process(peer);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) report(failure, peer);
  shut_down(peer);
  peer.close();
}

void RequestProcessor::process(Socket& peer) const {
  peer.set_idle_timeout(options_.idle_timeout);
  std::optional<Deadline> limit;
  if (options_.request_deadline) limit.emplace(*options_.request_deadline, "request deadline");
  if (options_.verify_request && !options_.verify_request(peer)) return;
  handler_(peer);
}

void RequestProcessor::report(std::exception_ptr error, Socket& peer) const noexcept {
  if (!options_.handle_error) {
    if (!is_everyday_error(error)) log_error(error, peer);
    return;
  }
  std::exception_ptr second;
  try {
    options_.handle_error(error, peer);
  } catch (...) {
    second = std::current_exception();
  }
  if (second && !is_everyday_error(second)) log_error(second, peer);
}

}  // namespace hawser
