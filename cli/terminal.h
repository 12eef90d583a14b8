// What is known of the terminal, and how text from elsewhere is made safe to show on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::cli {

[[nodiscard]] bool is_terminal(int fd) noexcept;

// Columns of the terminal at fd; 80 when it is none or does not say.
[[nodiscard]] std::size_t terminal_width(int fd) noexcept;

// Colours are for terminals that can show them, and not when NO_COLOR is set (https://no-color.org).
[[nodiscard]] bool use_colour(int fd) noexcept;

enum class Colour : std::uint8_t { plain, red, green, yellow, blue, cyan, bold, dim };
[[nodiscard]] std::string paint(Colour colour, std::string_view text, bool really);

// A name as it may be shown on a terminal: control characters, what is not UTF-8 and characters that change the
// direction of the text become escapes (\n, \x1b, \u202e). The rest stays, Unicode included.
[[nodiscard]] std::string printable(std::string_view text);

// The same when fd is a terminal; text untouched elsewhere, for other programs read it there.
[[nodiscard]] std::string shown(std::string_view text, int fd);

// How many columns text takes, East Asian wide characters counted as two.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

// text cut to at most `columns`, with "…" in its middle when something had to go.
[[nodiscard]] std::string fit(std::string_view text, std::size_t columns);

}  // namespace hawser::cli
