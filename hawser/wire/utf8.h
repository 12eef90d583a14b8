// One character of UTF-8 at a time (RFC 3629), with the borders that Unicode recommends for what is malformed: the
// longest run of bytes that could begin a character counts as one mistake (Unicode 15, section 3.9, table 3-8).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hawser {

struct Utf8Character {
  enum class Kind : std::uint8_t { good, cut, bad_start, bad_continuation };
  Kind kind = Kind::good;
  // Of the character, or of what is malformed; cut: all that is there.
  std::uint8_t length = 1;
  char32_t value = 0;
};

// The character at the beginning of text, which must not be empty.
[[nodiscard]] constexpr Utf8Character utf8_character(std::string_view text) noexcept {
  using Kind = Utf8Character::Kind;
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {Kind::good, 1, lead};
  if (lead < 0xC2 || lead > 0xF4) return {Kind::bad_start, 1, 0};
  const unsigned length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // What the second byte may be: no overlong forms, no surrogates, nothing beyond U+10FFFF.
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  char32_t value = lead & (0x7FU >> length);
  for (unsigned i = 1; i < length; ++i) {
    if (i == text.size()) return {Kind::cut, static_cast<std::uint8_t>(i), 0};
    const unsigned next = byte(i);
    if (i == 1 ? next < least || next > most : (next & 0xC0U) != 0x80) {
      return {Kind::bad_continuation, static_cast<std::uint8_t>(i), 0};
    }
    value = value << 6U | (next & 0x3FU);
  }
  return {Kind::good, static_cast<std::uint8_t>(length), value};
}

// Appends a character. Surrogates become three bytes like others of their size, which utf8_character() refuses.
inline void append_utf8(std::string& text, char32_t character) {
  const auto c = static_cast<std::uint32_t>(character);
  const auto rest = [c](unsigned shift) { return static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x80) {
    text.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    const char bytes[] = {static_cast<char>(0xC0U | c >> 6U), rest(0)};
    text.append(bytes, sizeof bytes);
  } else if (c < 0x10000) {
    const char bytes[] = {static_cast<char>(0xE0U | c >> 12U), rest(6), rest(0)};
    text.append(bytes, sizeof bytes);
  } else {
    const char bytes[] = {static_cast<char>(0xF0U | c >> 18U), rest(12), rest(6), rest(0)};
    text.append(bytes, sizeof bytes);
  }
}

// How many bytes from the beginning are ASCII, found eight at a time; it may stop up to seven early.
[[nodiscard]] inline std::size_t ascii_run(std::string_view text) noexcept {
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & 0x8080'8080'8080'8080U) != 0) break;
  }
  return at;
}

}  // namespace hawser
