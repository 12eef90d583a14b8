#include <array>
#include <charconv>

#include <hawser/wire/json.h>

namespace hawser {

namespace {

// What stands for a byte of a string: 0 for itself, 'u' for \u00XX, 1 for the start of a longer sequence, otherwise the
// letter after the backslash.
constexpr std::array<char, 256> kEscape = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 1;
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  table[0x7F] = 'u';
  return table;
}();

unsigned char byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The length of the UTF-8 sequence at `at` (RFC 3629), or 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const unsigned char lead = byte_at(text, at);
  const unsigned char second = byte_at(text, at + 1);
  if (lead >= 0xC2 && lead <= 0xDF) return continues(second) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    return continues(second) && continues(byte_at(text, at + 2)) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && second < 0x90) return 0;
    if (lead == 0xF4 && second > 0x8F) return 0;
    return continues(second) && continues(byte_at(text, at + 2)) && continues(byte_at(text, at + 3)) ? 4 : 0;
  }
  return 0;
}

void append_quoted(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  const std::size_t after = before + text.size() + 2;
  out.resize_and_overwrite(after, [&](char* all, std::size_t /*at_least_that*/) {
    all[before] = '"';
    text.copy(all + before + 1, text.size());
    all[after - 1] = '"';
    return after;
  });
}

void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::size_t plain = 0;  // from here on not yet written
  std::size_t at = 0;
  while (at < text.size() && kEscape[static_cast<unsigned char>(text[at])] == 0) ++at;
  if (at == text.size()) return append_quoted(out, text);
  out.push_back('"');
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const char how = kEscape[byte];
    if (how == 0) {
      ++at;
      continue;
    }
    if (how == 1) {
      if (const std::size_t length = sequence_length(text, at)) {
        at += length;
        continue;
      }
    }
    out.append(text.substr(plain, at - plain));
    if (how == 1) {
      out.append("\xEF\xBF\xBD");
    } else if (how == 'u') {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back('\\');
      out.push_back(how);
    }
    plain = ++at;
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 40> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out.append(text);
  // A whole real stays a real for whoever reads it.
  if constexpr (std::is_floating_point_v<Number>) {
    if (text.find_first_of(".e") == std::string_view::npos) out.append(".0");
  }
}

}  // namespace

void Json::append_to(std::string& out) const {
  switch (value_.index()) {
    case 0:
      out.append("null");
      break;
    case 1:
      out.append(std::get<1>(value_) ? "true" : "false");
      break;
    case 2:
      append_number(out, std::get<2>(value_));
      break;
    case 3:
      append_number(out, std::get<3>(value_));
      break;
    case 4:
      append_number(out, std::get<4>(value_));
      break;
    case 5:
      out.append(std::get<5>(value_).text);
      break;
    case 6:
      append_string(out, std::get<6>(value_));
      break;
    case 7: {
      char before = '[';
      for (const Json& value : std::get<7>(value_)) {
        out.push_back(before);
        value.append_to(out);
        before = ',';
      }
      if (before == '[') out.push_back('[');
      out.push_back(']');
      break;
    }
    default: {
      char before = '{';
      for (const Member& member : std::get<8>(value_)) {
        out.push_back(before);
        append_string(out, member.key);
        out.push_back(':');
        member.value.append_to(out);
        before = ',';
      }
      if (before == '{') out.push_back('{');
      out.push_back('}');
      break;
    }
  }
}

std::string Json::dump() const {
  std::string out;
  append_to(out);
  return out;
}

}  // namespace hawser
