// tables: every two bytes of GBK and GB18030, decoded and encoded again; every character that GB18030 has in four
// bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <hawser/wire/text.h>

#include "cases.h"

namespace hawser::vectors {

namespace {

constexpr char32_t kUnmapped = 0xFFFD;

// "40-7e,80-fe"
std::vector<unsigned char> trail_bytes(std::string_view ranges) {
  std::vector<unsigned char> bytes;
  while (!ranges.empty()) {
    const std::string range(ranges.substr(0, ranges.find(',')));
    ranges.remove_prefix(std::min(ranges.size(), range.size() + 1));
    const unsigned long last = std::strtoul(range.substr(3).c_str(), nullptr, 16);
    for (unsigned long at = std::strtoul(range.c_str(), nullptr, 16); at <= last; ++at) {
      bytes.push_back(static_cast<unsigned char>(at));
    }
  }
  return bytes;
}

Outcome refused(const std::string& bytes, const Codec& codec) {
  try {
    return fmt::format("gave {}", decode(bytes, codec));
  } catch (const DecodeError& error) {
    return error.start() == 0 && error.end() == 1 ? kPassed : error.what();
  }
}

Outcome same_both_ways(const std::string& bytes, char32_t character, const Codec& codec) {
  const std::string text = to_utf8({&character, 1});
  const std::string decoded = decode(bytes, codec);
  if (decoded != text) return fmt::format("decoded as {}, expected {}", decoded, text);
  const Bytes encoded = encode(text, codec);
  return encoded == std::string_view(bytes) ? kPassed : fmt::format("encoded as {}", to_hex(encoded));
}

void judge_two_bytes(const Json& table, const Codec& codec, Tally& tally) {
  const std::vector<unsigned char> trails = trail_bytes(table["trail_bytes"].as_string());
  for (const Json::Member& row : table["rows"].as_object()) {
    const std::u32string characters = from_utf8(row.value.as_string());
    for (std::size_t i = 0; i < trails.size(); ++i) {
      std::string bytes = from_hex(row.key);
      bytes.push_back(static_cast<char>(trails[i]));
      const Outcome outcome =
          characters.at(i) == kUnmapped ? refused(bytes, codec) : same_both_ways(bytes, characters.at(i), codec);
      tally.count(outcome, fmt::format("{} {}", codec.name(), to_hex(bytes)));
    }
  }
}

// The four bytes that come next.
void step(std::string& four) {
  constexpr unsigned char kFirst[] = {0x81, 0x30, 0x81, 0x30};
  constexpr unsigned char kLast[] = {0xFE, 0x39, 0xFE, 0x39};
  for (std::size_t i = 4; i-- > 0;) {
    if (static_cast<unsigned char>(four[i]) < kLast[i]) {
      ++four[i];
      return;
    }
    four[i] = static_cast<char>(kFirst[i]);
  }
}

// [first, last, bytes of the first, number of the first]; the bytes of the others follow one by one.
void judge_four_bytes(const Json& ranges, Tally& tally) {
  for (const Json& range : ranges.as_array()) {
    std::string four = from_hex(range.as_array().at(2).as_string());
    const auto last = static_cast<char32_t>(range.as_array().at(1).as_uint64());
    for (auto at = static_cast<char32_t>(range.as_array().at(0).as_uint64()); at <= last; ++at, step(four)) {
      tally.count(same_both_ways(four, at, "gb18030"), fmt::format("gb18030 {}", to_hex(four)));
    }
  }
  // The rule for what lies beyond, one in a hundred and the borders.
  std::string four = from_hex("90308130");
  for (char32_t at = 0x10000; at <= 0x10FFFF; ++at, step(four)) {
    if (at % 97 != 0 && at != 0x10FFFF) continue;
    tally.count(same_both_ways(four, at, "gb18030"), fmt::format("gb18030 {}", to_hex(four)));
  }
}

}  // namespace

Tally judge_tables(const Json& file) {
  Tally tally;
  judge_two_bytes(file["gbk"], "gbk", tally);
  judge_two_bytes(file["gb18030"], "gb18030", tally);
  judge_four_bytes(file["gb18030"]["four_byte_ranges"], tally);
  return tally;
}

}  // namespace hawser::vectors
