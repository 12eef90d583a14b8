// What a service answers when it cannot do what was asked: a code that goes over the wire as it is, and a message that
// names what and why ("no such file: a.txt").
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hawser::hub {

enum class ErrorCode : std::uint8_t {
  bad_request,
  unauthenticated,
  forbidden,
  not_found,
  exists,
  conflict,
  too_large,
  quota_exceeded,
  hash_mismatch,
  timeout,
  busy,
  rate_limited,
  no_space,
  internal,
};

// The word that the protocol uses: "not_found".
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

class ServiceError : public std::runtime_error {
 public:
  ServiceError(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace hawser::hub
