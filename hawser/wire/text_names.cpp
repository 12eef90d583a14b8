#include <array>
#include <utility>

#include <hawser/wire/text_codec.h>

namespace hawser::detail {

namespace {

using Find = const TextCodec& (*)();

// Python's names for them, in lower case and with _ between the words.
constexpr std::array<std::pair<std::string_view, Find>, 54> kNames{{
    {"utf_8", utf8_codec},
    {"utf8", utf8_codec},
    {"u8", utf8_codec},
    {"utf", utf8_codec},
    {"utf8_ucs2", utf8_codec},
    {"utf8_ucs4", utf8_codec},
    {"cp65001", utf8_codec},
    {"utf_8_sig", utf8_sig_codec},
    {"utf8_sig", utf8_sig_codec},
    {"gbk", gbk_codec},
    {"936", gbk_codec},
    {"cp936", gbk_codec},
    {"ms936", gbk_codec},
    {"gb18030", gb18030_codec},
    {"gb18030_2000", gb18030_codec},
    {"gb2312", gb2312_codec},
    {"gb2312_80", gb2312_codec},
    {"gb2312_1980", gb2312_codec},
    {"euc_cn", gb2312_codec},
    {"euccn", gb2312_codec},
    {"eucgb2312_cn", gb2312_codec},
    {"chinese", gb2312_codec},
    {"csiso58gb231280", gb2312_codec},
    {"iso_ir_58", gb2312_codec},
    {"x_mac_simp_chinese", gb2312_codec},
    {"hz", hz_codec},
    {"hzgb", hz_codec},
    {"hz_gb", hz_codec},
    {"hz_gb_2312", hz_codec},
    {"ascii", ascii_codec},
    {"us_ascii", ascii_codec},
    {"646", ascii_codec},
    {"us", ascii_codec},
    {"ansi_x3_4_1968", ascii_codec},
    {"ansi_x3_4_1986", ascii_codec},
    {"cp367", ascii_codec},
    {"csascii", ascii_codec},
    {"ibm367", ascii_codec},
    {"iso646_us", ascii_codec},
    {"iso_646_irv_1991", ascii_codec},
    {"iso_ir_6", ascii_codec},
    {"latin_1", latin1_codec},
    {"latin1", latin1_codec},
    {"latin", latin1_codec},
    {"l1", latin1_codec},
    {"iso_8859_1", latin1_codec},
    {"iso8859_1", latin1_codec},
    {"iso_8859_1_1987", latin1_codec},
    {"iso8859", latin1_codec},
    {"8859", latin1_codec},
    {"cp819", latin1_codec},
    {"csisolatin1", latin1_codec},
    {"ibm819", latin1_codec},
    {"iso_ir_100", latin1_codec},
}};

}  // namespace

const TextCodec* find_codec(std::string_view name) {
  // As Python does it: whatever stands between the words is one _, and counts for nothing before and behind them.
  // (Here, a dot is no exception; Python knows fewer names that have one.)
  std::string plain;
  bool between = false;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      if (between && !plain.empty()) plain.push_back('_');
      between = false;
      plain.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) {
      return nullptr;
    } else {
      between = true;
    }
  }
  for (const auto& [known, find] : kNames) {
    if (known == plain) return &find();
  }
  return nullptr;
}

}  // namespace hawser::detail
