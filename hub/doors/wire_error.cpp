#include "hub/doors/wire_error.h"

#include <algorithm>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/tls/tls_error.h>
#include <hawser/wire/frame.h>

#include "hub/service/utf8.h"

namespace hawser::hub {

namespace {

// Messages repeat what was asked for. Whatever that is, they are UTF-8 that upsets no terminal, and the header stays
// far below its limit.
std::string presentable(std::string_view message) {
  constexpr std::size_t kLongest = 2048;
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
  std::string text;
  while (!message.empty()) {
    if (text.size() >= kLongest) return text + "...";
    const Utf8Character character = first_character(message);
    const bool printable = character.length > 0 && !is_control(character.code);
    text += printable ? message.substr(0, character.length) : kReplacement;
    message.remove_prefix(std::max<std::size_t>(character.length, 1));
  }
  return text;
}

}  // namespace

std::optional<WireError> wire_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ServiceError& e) {
    return WireError{to_string(e.code()), presentable(e.what())};
  } catch (const JsonError& e) {
    return WireError{"bad_request", presentable(e.what())};
  } catch (const UnknownCommand& e) {
    return WireError{"unknown_command", presentable(e.what())};
  } catch (const FrameError& e) {
    return WireError{e.fault() == FrameFault::slow ? "timeout" : "bad_frame", presentable(e.what()), true};
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
