// What may be a user name, and what may be a password.
#pragma once

#include <string_view>

namespace hawser::hub {

// 1 to 32 ASCII letters, digits, '.', '_', '-', beginning with a letter or digit: safe as a folder's name, in a shell
// and in a log. Throws ServiceError(bad_request).
void check_user_name(std::string_view user);

// 8 to 1024 bytes of UTF-8 without NUL, and not the name. Throws ServiceError(bad_request).
void check_new_password(std::string_view user, std::string_view password);

}  // namespace hawser::hub
