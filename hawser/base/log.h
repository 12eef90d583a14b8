// Where the library reports what no caller will hear: an error in a task nobody joined, accept running out of
// descriptors, a stack overflow. One line each; to standard error until set_log_sink() says otherwise.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

namespace hawser {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogSink = std::function<void(LogLevel, std::string_view line)>;

// From now on lines go to sink; an empty one restores standard error. Any thread. The sink must not throw.
void set_log_sink(LogSink sink);

// Never throws.
void log_line(LogLevel level, std::string_view line) noexcept;

// What an error says of itself, for a line. It must not be null.
[[nodiscard]] std::string describe(const std::exception_ptr& error);

}  // namespace hawser
