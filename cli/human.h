// Numbers as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::cli {

// "0 B", "999 B", "1.0 KiB", "12 MiB": powers of 1024, two significant digits at least.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
// Bytes a second in decimal units, as link speeds are given: "870 kB/s", "12.5 MB/s", "1.31 GB/s".
[[nodiscard]] std::string format_rate(double bytes_per_second);
// "0.4 s", "12 s", "3:07", "1:02:45".
[[nodiscard]] std::string format_duration(std::chrono::duration<double> length);
// Permission bits and type as ls(1) shows them: "-rw-r--r--".
[[nodiscard]] std::string format_mode(std::string_view type, std::uint32_t mode);
// Local time, "2026-11-20 19:26".
[[nodiscard]] std::string format_time(std::int64_t unix_seconds);
// "1 file", "3 files".
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace hawser::cli
