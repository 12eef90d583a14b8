#include "hub/service/error.h"

namespace hawser::hub {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::bad_request:
      return "bad_request";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::quota_exceeded:
      return "quota_exceeded";
    case ErrorCode::hash_mismatch:
      return "hash_mismatch";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::rate_limited:
      return "rate_limited";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::internal:
      break;
  }
  return "internal";
}

}  // namespace hawser::hub
