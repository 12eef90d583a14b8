#include "hub/service/session.h"

#include <fmt/format.h>

#include "hub/service/error.h"

namespace hawser::hub {

std::string_view to_string(Role role) noexcept { return role == Role::admin ? "admin" : "member"; }

Role parse_role(std::string_view word) {
  if (word == "admin") return Role::admin;
  if (word == "member") return Role::member;
  throw ServiceError(ErrorCode::bad_request, fmt::format("no such role: {} (admin, member)", word.substr(0, 64)));
}

}  // namespace hawser::hub
