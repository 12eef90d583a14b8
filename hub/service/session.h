// Session: who is asking. Made by Accounts alone, kept by the door for its connection, handed to every service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hub/store/records.h"

namespace hawser::hub {

struct Session {
  std::int64_t id = 0;  // of the token's row
  std::int64_t user_id = 0;
  std::string user;  // the name as registered: also the name of the home
  Role role = Role::member;
  std::optional<std::uint64_t> quota_bytes = std::nullopt;
  std::int64_t expires = 0;  // Unix seconds
  std::uint64_t epoch = 0;   // of Accounts, when it was last looked up
  std::string source;        // the peer, for audit lines: "127.0.0.1:5000"
};

// "admin" or "member".
[[nodiscard]] std::string_view to_string(Role role) noexcept;
// Throws ServiceError(bad_request).
[[nodiscard]] Role parse_role(std::string_view word);

}  // namespace hawser::hub
