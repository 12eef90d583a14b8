#include "hub/doors/wire_error.h"

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/tls/tls_error.h>
#include <hawser/wire/frame.h>

namespace hawser::hub {

namespace {

// Messages name paths and the like; whatever they name, the header stays far below its limit.
std::string clipped(std::string message) {
  constexpr std::size_t kLongest = 2048;
  if (message.size() > kLongest) message = message.substr(0, kLongest) + "...";
  return message;
}

}  // namespace

std::optional<WireError> wire_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ServiceError& e) {
    return WireError{to_string(e.code()), clipped(e.what())};
  } catch (const JsonError& e) {
    return WireError{"bad_request", clipped(e.what())};
  } catch (const UnknownCommand& e) {
    return WireError{"unknown_command", clipped(e.what())};
  } catch (const FrameError& e) {
    return WireError{e.fault() == FrameFault::slow ? "timeout" : "bad_frame", clipped(e.what()), true};
  } catch (const TooSlow& e) {
    return WireError{"timeout", e.what(), true};
  } catch (const Broken&) {
    return std::nullopt;
  } catch (const Cancelled&) {
    return std::nullopt;
  } catch (const SystemError&) {
    return std::nullopt;
  } catch (const TimedOut&) {
    return std::nullopt;
  } catch (const DeadlineExceeded&) {
    return std::nullopt;
  } catch (const TlsError&) {
    return std::nullopt;
  } catch (const std::exception& e) {
    log_line(LogLevel::error, fmt::format("a request failed: {}", e.what()));
    return WireError{"internal", "internal error"};
  }
}

}  // namespace hawser::hub
