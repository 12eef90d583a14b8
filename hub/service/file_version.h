// From stat(2) to what the hub compares and keeps.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <ctime>

#include "hub/store/records.h"

namespace hawser::hub {

// Saturates beyond the years that fit (1677 to 2262).
[[nodiscard]] std::int64_t nanoseconds_of(const timespec& time) noexcept;
[[nodiscard]] timespec to_timespec(std::int64_t nanoseconds) noexcept;

[[nodiscard]] FileVersion version_of(const struct stat& status) noexcept;

// Nothing that a write changes differs: size and mtime. The ctime is left out, since renaming changes it, too.
[[nodiscard]] bool same_content(const struct stat& one, const struct stat& other) noexcept;

}  // namespace hawser::hub
