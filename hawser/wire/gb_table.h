// Internal: the mappings of the GB family, as CPython has them. They come out of iconv(3) when they are first asked
// for; what glibc maps otherwise than CPython is put right by the list in gb_table.cpp. After that they never change,
// and everybody may look at them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace hawser::detail {

class GbTable {
 public:
  // Each throws UnknownCodec when iconv(3) does not know the encoding.
  static const GbTable& gbk();
  static const GbTable& gb18030();
  static const GbTable& gb2312();

  // The character of two bytes; 0 when there is none.
  [[nodiscard]] char16_t character(unsigned char lead, unsigned char trail) const noexcept {
    return lead < kLead || trail < kTrail ? char16_t{0} : characters_[index(lead, trail)];
  }
  // The two bytes of a character, the lead above; 0 when there are none.
  [[nodiscard]] std::uint16_t bytes(char32_t character) const noexcept {
    return character > 0xFFFF ? std::uint16_t{0} : bytes_[character];
  }

  // GB18030's four bytes, counted from 81 30 81 30 on: the characters up to U+FFFF that have no two bytes, in the order
  // of their numbers.
  static constexpr std::size_t kFourBytes = 39'420;
  [[nodiscard]] char16_t four_byte_character(std::size_t number) const noexcept { return four_[number]; }
  [[nodiscard]] std::uint16_t four_byte_number(char16_t character) const noexcept { return four_numbers_[character]; }

 private:
  explicit GbTable(const char* name);
  static constexpr unsigned kLead = 0x81;
  static constexpr unsigned kTrail = 0x40;
  static constexpr std::size_t kTrails = 0x100 - kTrail;
  [[nodiscard]] static std::size_t index(unsigned lead, unsigned trail) noexcept {
    return (lead - kLead) * kTrails + trail - kTrail;
  }
  void set(unsigned code, char16_t character);
  void count_the_rest();

  std::vector<char16_t> characters_;
  std::vector<std::uint16_t> bytes_;
  std::vector<char16_t> four_;
  std::vector<std::uint16_t> four_numbers_;
};

}  // namespace hawser::detail
