#include "cli/terminal.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "hub/service/utf8.h"

namespace hawser::cli {
namespace {

struct Character {
  char32_t code;
  std::size_t bytes;
  bool valid;
};

// The character that begins text (not empty). What is not UTF-8 is one invalid byte.
Character first_character(std::string_view text) {
  const hub::Utf8Character c = hub::first_character(text);
  if (c.length == 0) return {static_cast<unsigned char>(text[0]), 1, false};
  return {c.code, c.length, true};
}

bool changes_direction(char32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029;
}

// Wide and fullwidth blocks of Unicode's East Asian Width (UAX 11), and the emoji blocks.
bool is_wide(char32_t code) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 11> kWide{{{0x1100, 0x115F},
                                                                        {0x2E80, 0x303E},
                                                                        {0x3041, 0x33FF},
                                                                        {0x3400, 0x4DBF},
                                                                        {0x4E00, 0x9FFF},
                                                                        {0xA000, 0xA4CF},
                                                                        {0xAC00, 0xD7A3},
                                                                        {0xF900, 0xFAFF},
                                                                        {0xFE30, 0xFE6F},
                                                                        {0xFF00, 0xFF60},
                                                                        {0x1F300, 0x3FFFD}}};
  return std::ranges::any_of(kWide, [code](auto block) { return code >= block.first && code <= block.second; });
}

bool is_combining(char32_t code) {
  return (code >= 0x0300 && code <= 0x036F) || (code >= 0x200B && code <= 0x200D) || (code >= 0xFE00 && code <= 0xFE0F);
}

std::size_t width_of(char32_t code) { return is_combining(code) ? 0 : is_wide(code) ? 2 : 1; }

}  // namespace

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

std::size_t terminal_width(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool use_colour(int fd) noexcept {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb" && is_terminal(fd);
}

std::string paint(Colour colour, std::string_view text, bool really) {
  static constexpr std::array kCodes{"0", "31", "32", "33", "34", "36", "1", "2"};
  if (!really || colour == Colour::plain) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
    } else if (c.code == '\n') {
      safe += "\\n";
    } else if (c.code == '\t') {
      safe += "\\t";
    } else if (c.code == '\r') {
      safe += "\\r";
    } else if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0)) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
    } else if (changes_direction(c.code)) {
      safe += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
    } else {
      safe += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return safe;
}

std::string shown(std::string_view text, int fd) { return is_terminal(fd) ? printable(text) : std::string(text); }

std::size_t display_width(std::string_view text) noexcept {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    columns += width_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::vector<std::string_view> characters;
  for (std::string_view left = text; !left.empty();) {
    const std::size_t bytes = first_character(left).bytes;
    characters.push_back(left.substr(0, bytes));
    left.remove_prefix(bytes);
  }
  std::size_t room_front = (columns - 1) - (columns - 1) / 2, room_back = (columns - 1) / 2;
  std::string front, back;
  for (std::string_view c : characters) {
    const std::size_t width = display_width(c);
    if (width > room_front) break;
    room_front -= width;
    front += c;
  }
  for (auto c = characters.rbegin(); c != characters.rend(); ++c) {
    const std::size_t width = display_width(*c);
    if (width > room_back) break;
    room_back -= width;
    back.insert(0, *c);
  }
  return front + "…" + back;
}

}  // namespace hawser::cli
