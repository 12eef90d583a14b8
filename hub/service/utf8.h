// UTF-8 as the hub needs it for names: one character at a time, strictly (no overlongs, no surrogates, RFC 3629).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hawser::hub {

struct Utf8Character {
  char32_t code = 0;
  std::size_t length = 0;  // 0: not UTF-8 here
};

// The character that text begins with. text must not be empty.
[[nodiscard]] Utf8Character first_character(std::string_view text) noexcept;

// C0, DEL and C1.
[[nodiscard]] constexpr bool is_control(char32_t code) noexcept { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

// The same text with U+FFFD for every byte that is not UTF-8.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

}  // namespace hawser::hub
