// What errno means for a file in a home, in the hub's words.
#pragma once

#include <string_view>

namespace hawser::hub {

// Throws the ServiceError for error_number; `shown` is the path as the user knows it.
[[noreturn]] void throw_file_error(int error_number, std::string_view shown);
// The same for the current errno.
[[noreturn]] void throw_file_error(std::string_view shown);

}  // namespace hawser::hub
