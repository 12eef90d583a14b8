#include "hub/service/credentials.h"

#include <algorithm>
#include <cstddef>

#include "hub/service/error.h"
#include "hub/service/utf8.h"

namespace hawser::hub {
namespace {

constexpr std::size_t kLongestName = 32;
constexpr std::size_t kShortestPassword = 8;
constexpr std::size_t kLongestPassword = 1024;

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_character(text);
    if (character.length == 0 || character.code == 0) return false;
    text.remove_prefix(character.length);
  }
  return true;
}

}  // namespace

void check_user_name(std::string_view user) {
  const bool fits =
      !user.empty() && user.size() <= kLongestName && is_alphanumeric(user.front()) &&
      std::ranges::all_of(user, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  if (!fits) {
    throw ServiceError(ErrorCode::bad_request,
                       "a user name has 1 to 32 letters, digits, '.', '_' or '-' (ASCII) and begins with a letter or "
                       "digit");
  }
}

void check_new_password(std::string_view user, std::string_view password) {
  if (password.size() < kShortestPassword || password.size() > kLongestPassword) {
    throw ServiceError(ErrorCode::bad_request, "a password has 8 to 1024 bytes");
  }
  if (!is_text(password)) throw ServiceError(ErrorCode::bad_request, "the password is not valid UTF-8 text");
  if (password == user) throw ServiceError(ErrorCode::bad_request, "the password must not be the user name");
}

}  // namespace hawser::hub
