// Times as text, by a format of strftime(3): "%Y-%m-%d %H:%M:%S".
//
// All conversions of the C library, glibc's extensions included, in the C locale whatever the program's is. What is no
// conversion stays as it stands; zero bytes in the format stay, too (Python refuses them). Formats may come from
// strangers: a text that would be longer than the limit, as a width like %999999999d makes it, is TimeTextTooLong, and
// no more memory than the limit is ever used.
//
// Nothing waits and nothing is kept; call it from anywhere. The local zone is TZ's, read as tzset(3) last did.
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hawser {

class TimeTextTooLong : public std::length_error {
 public:
  using std::length_error::length_error;
};

// Enough for every format a person writes.
inline constexpr std::size_t kTimeTextLimit = 64 * 1024;

[[nodiscard]] std::string format_time(std::string_view format, const std::tm& time, std::size_t limit = kTimeTextLimit);

// The moment as calendar and clock. Throws SystemError (EOVERFLOW) when its year is beyond an int.
[[nodiscard]] std::tm local_time(std::chrono::system_clock::time_point moment);
[[nodiscard]] std::tm utc_time(std::chrono::system_clock::time_point moment);
[[nodiscard]] std::tm local_time(std::time_t seconds);
[[nodiscard]] std::tm utc_time(std::time_t seconds);

}  // namespace hawser
