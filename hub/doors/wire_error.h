// The one place where what went wrong becomes an error code of the protocol (docs/protocol.md, "Error codes").
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hub/service/error.h"

namespace hawser::hub {

struct WireError {
  std::string_view code;
  std::string message;
  bool ends_conversation = false;  // the stream's borders are lost: close after the answer
};

// A request with a command that this door does not know.
class UnknownCommand : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The peer moves its bytes too slowly.
class TooSlow : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The conversation is in the middle of something that only closing can end; nothing may be answered any more.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What to answer. Nothing when there is nobody to answer to: the connection failed, or the hub cuts it. What we did not
// foresee is logged, and answered as `internal` without details.
[[nodiscard]] std::optional<WireError> wire_error(const std::exception_ptr& error);

}  // namespace hawser::hub
