#include "cli/human.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

namespace hawser::cli {

std::string format_size(std::uint64_t bytes) {
  static constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.5 would be rounded to "1024".
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, kUnits[unit]) : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

std::string format_rate(double bytes_per_second) {
  if (bytes_per_second < 1e3) return fmt::format("{:.0f} B/s", bytes_per_second);
  if (bytes_per_second < 1e6) return fmt::format("{:.0f} kB/s", bytes_per_second / 1e3);
  if (bytes_per_second < 1e9) return fmt::format("{:.1f} MB/s", bytes_per_second / 1e6);
  return fmt::format("{:.2f} GB/s", bytes_per_second / 1e9);
}

std::string format_duration(std::chrono::duration<double> length) {
  const double seconds = length.count();
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_mode(std::string_view type, std::uint32_t mode) {
  std::string text(1, type == "dir" ? 'd' : type == "link" ? 'l' : type == "file" ? '-' : '?');
  static constexpr std::string_view kLetters = "rwxrwxrwx";
  for (unsigned bit = 0; bit < 9; ++bit) text += (mode >> (8 - bit) & 1U) != 0 ? kLetters[bit] : '-';
  return text;
}

std::string format_time(std::int64_t unix_seconds) {
  const std::time_t when = unix_seconds;
  std::tm local{};
  if (::localtime_r(&when, &local) == nullptr) return fmt::format("{}", unix_seconds);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
  return length == 0 ? fmt::format("{}", unix_seconds) : std::string(text.data(), length);
}

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace hawser::cli
