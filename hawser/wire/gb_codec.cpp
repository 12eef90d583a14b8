// GB2312, GBK, GB18030 and HZ over the mappings of gb_table.h. What may follow what, and how much of it is one mistake,
// is as in CPython: an illegal sequence is one byte long, and the next byte is looked at afresh.
#include <hawser/base/made_once.h>
#include <hawser/wire/gb_table.h>
#include <hawser/wire/text_codec.h>

namespace hawser::detail {

namespace {

constexpr std::string_view kIllegal = "illegal multibyte sequence";
constexpr std::string_view kIncomplete = "incomplete multibyte sequence";

unsigned char byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

TextStop illegal(std::size_t at) { return {at, 1, false, kIllegal}; }
TextStop incomplete(std::size_t at, std::string_view bytes) { return {at, bytes.size() - at, true, kIncomplete}; }

// Four bytes of GB18030, with the second and the fourth from 30 to 39. Those from 90 30 81 30 on are the characters
// beyond U+FFFF.
constexpr std::size_t kPerSecond = 126 * 10;
constexpr std::size_t kPerLead = 10 * kPerSecond;
constexpr std::size_t kBeyondLead = 0x90 - 0x81;

// 0 when there is no such character.
char32_t four_bytes(std::string_view four, const GbTable& table) {
  const unsigned first = byte_at(four, 0);
  const unsigned third = byte_at(four, 2);
  const unsigned fourth = byte_at(four, 3);
  if (first < 0x81 || first > 0xFE || third < 0x81 || third > 0xFE || fourth < 0x30 || fourth > 0x39) return 0;
  const std::size_t number =
      (first - 0x81U) * kPerLead + (byte_at(four, 1) - 0x30U) * kPerSecond + (third - 0x81U) * 10 + (fourth - 0x30U);
  if (number < GbTable::kFourBytes) return table.four_byte_character(number);
  if (number < kBeyondLead * kPerLead) return 0;
  const std::size_t beyond = 0x10000 + number - kBeyondLead * kPerLead;
  return beyond <= 0x10FFFF ? static_cast<char32_t>(beyond) : 0;
}

void append_four_bytes(std::string& bytes, char32_t character, const GbTable& table) {
  std::size_t number = character <= 0xFFFF ? table.four_byte_number(static_cast<char16_t>(character))
                                           : character - 0x10000 + kBeyondLead * kPerLead;
  const auto fourth = static_cast<char>(0x30 + number % 10);
  number /= 10;
  const auto third = static_cast<char>(0x81 + number % 126);
  number /= 126;
  const auto second = static_cast<char>(0x30 + number % 10);
  bytes.append({static_cast<char>(0x81 + number / 10), second, third, fourth});
}

void append_two_bytes(std::string& bytes, std::uint16_t code) {
  const char pair[] = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  bytes.append(pair, sizeof pair);
}

class GbCodec final : public TextCodec {
 public:
  GbCodec(std::string_view name, const GbTable& table, bool four) noexcept
      : TextCodec(name), table_(&table), four_(four) {}

  TextStop decode(std::string_view bytes, TextState& /*state*/, std::string& text) const override {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const std::size_t ascii = ascii_run(bytes.substr(at));
      text.append(bytes.substr(at, ascii));
      at += ascii;
      if (at == bytes.size()) break;
      const unsigned char lead = byte_at(bytes, at);
      if (lead < 0x80) {
        text.push_back(static_cast<char>(lead));
        ++at;
        continue;
      }
      if (bytes.size() - at < 2) return incomplete(at, bytes);
      const unsigned char trail = byte_at(bytes, at + 1);
      if (four_ && trail >= 0x30 && trail <= 0x39) {
        if (bytes.size() - at < 4) return incomplete(at, bytes);
        const char32_t character = four_bytes(bytes.substr(at, 4), *table_);
        if (character == 0) return illegal(at);
        append_utf8(text, character);
        at += 4;
        continue;
      }
      const char16_t character = table_->character(lead, trail);
      if (character == 0) return illegal(at);
      append_utf8(text, character);
      at += 2;
    }
    return {at};
  }

  TextStop encode(std::string_view text, TextState& /*state*/, std::string& bytes) const override {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t ascii = ascii_run(text.substr(at));
      bytes.append(text.substr(at, ascii));
      at += ascii;
      if (at == text.size()) break;
      const InnerCharacter character = inner_character(text.substr(at));
      if (!character.good) return stop_at(at, character, kIllegal);
      if (character.value < 0x80) {
        bytes.push_back(static_cast<char>(character.value));
      } else if (const std::uint16_t code = table_->bytes(character.value)) {
        append_two_bytes(bytes, code);
      } else if (four_) {
        append_four_bytes(bytes, character.value, *table_);
      } else {
        return stop_at(at, character, kIllegal);
      }
      at += character.length;
    }
    return {at};
  }

 private:
  const GbTable* table_;
  bool four_;
};

// RFC 1843: GB2312 in seven bits, between ~{ and ~}.
class HzCodec final : public TextCodec {
 public:
  HzCodec(std::string_view name, const GbTable& table) noexcept : TextCodec(name), table_(&table) {}

  TextStop decode(std::string_view bytes, TextState& state, std::string& text) const override {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const unsigned char lead = byte_at(bytes, at);
      if (lead >= 0x80) return illegal(at);
      if (lead != '~' && !state.shifted) {
        text.push_back(static_cast<char>(lead));
        ++at;
        continue;
      }
      if (bytes.size() - at < 2) return incomplete(at, bytes);
      const unsigned char next = byte_at(bytes, at + 1);
      if (lead == '~') {
        if (next == '~' && !state.shifted) {
          text.push_back('~');
        } else if (next == (state.shifted ? '}' : '{')) {
          state.shifted = !state.shifted;
        } else if (next != '\n' || state.shifted) {
          return illegal(at);
        }
      } else {
        const char16_t character =
            table_->character(static_cast<unsigned char>(lead | 0x80U), static_cast<unsigned char>(next | 0x80U));
        if (character == 0 || next >= 0x80) return illegal(at);
        append_utf8(text, character);
      }
      at += 2;
    }
    return {at};
  }

  TextStop encode(std::string_view text, TextState& state, std::string& bytes) const override {
    std::size_t at = 0;
    while (at < text.size()) {
      const InnerCharacter character = inner_character(text.substr(at));
      if (!character.good) return stop_at(at, character, kIllegal);
      if (character.value < 0x80) {
        finish(state, bytes);
        bytes.push_back(static_cast<char>(character.value));
        if (character.value == '~') bytes.push_back('~');
      } else if (const std::uint16_t code = table_->bytes(character.value)) {
        if (!state.shifted) bytes.append("~{");
        state.shifted = true;
        append_two_bytes(bytes, code & 0x7F7FU);
      } else {
        return stop_at(at, character, kIllegal);
      }
      at += character.length;
    }
    return {at};
  }

  void finish(TextState& state, std::string& bytes) const override {
    if (state.shifted) bytes.append("~}");
    state.shifted = false;
  }

 private:
  const GbTable* table_;
};

constinit MadeOnce<const GbCodec> g_gbk;
constinit MadeOnce<const GbCodec> g_gb18030;
constinit MadeOnce<const GbCodec> g_gb2312;
constinit MadeOnce<const HzCodec> g_hz;

}  // namespace

const TextCodec& gbk_codec() {
  return g_gbk.get([] { return GbCodec("gbk", GbTable::gbk(), false); });
}

const TextCodec& gb18030_codec() {
  return g_gb18030.get([] { return GbCodec("gb18030", GbTable::gb18030(), true); });
}

const TextCodec& gb2312_codec() {
  return g_gb2312.get([] { return GbCodec("gb2312", GbTable::gb2312(), false); });
}

const TextCodec& hz_codec() {
  return g_hz.get([] { return HzCodec("hz", GbTable::gb2312()); });
}

}  // namespace hawser::detail
