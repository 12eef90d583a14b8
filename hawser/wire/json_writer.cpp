#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>

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

}  // namespace

// Gathers pieces, so that a short text is appended at once.
class Json::Writer {
 public:
  explicit Writer(std::string& out) noexcept : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void value(const Json& json);
  template <class Members>
  void object(const Members& members);
  void flush() {
    out_.append(piece_.data(), used_);
    used_ = 0;
  }

 private:
  void put(char c) {
    if (used_ == piece_.size()) flush();
    piece_[used_++] = c;
  }
  void put(std::string_view text) {
    if (text.size() > piece_.size() - used_) {
      flush();
      if (text.size() > piece_.size()) {
        out_.append(text);
        return;
      }
    }
    text.copy(piece_.data() + used_, text.size());
    used_ += text.size();
  }
  void string(std::string_view text);
  template <class Number>
  void number(Number value);
  void array(const Array& values);

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 256> piece_;
};

void Json::Writer::value(const Json& json) {
  switch (json.held_) {
    case Held::null:
      return put("null");
    case Held::boolean:
      return put(json.value_.boolean ? "true" : "false");
    case Held::int64:
      return number(json.value_.int64);
    case Held::uint64:
      return number(json.value_.uint64);
    case Held::real:
      return number(json.value_.real);
    case Held::digits:
      return put(json.value_.text);
    case Held::string:
      return string(json.value_.text);
    case Held::array:
      return array(json.value_.array);
    case Held::object:
      return object(json.value_.object);
  }
}

void Json::Writer::string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  put('"');
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const char how = kEscape[byte];
    if (how == 0) {
      put(text[at++]);
    } else if (how == 1) {
      const std::size_t length = sequence_length(text, at);
      put(length > 0 ? text.substr(at, length) : "\xEF\xBF\xBD");
      at += std::max<std::size_t>(length, 1);
    } else {
      put('\\');
      put(how);
      if (how == 'u') {
        put("00");
        put(kHex[byte >> 4]);
        put(kHex[byte & 15]);
      }
      ++at;
    }
  }
  put('"');
}

template <class Number>
void Json::Writer::number(Number value) {
  constexpr std::size_t kLongest = 40;
  if (piece_.size() - used_ < kLongest) flush();
  char* const from = piece_.data() + used_;
  char* const end = std::to_chars(from, from + kLongest, value).ptr;
  used_ += static_cast<std::size_t>(end - from);
  // A whole real stays a real for whoever reads it.
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::string_view(from, end).find_first_of(".e") == std::string_view::npos) put(".0");
  }
}

void Json::Writer::array(const Array& values) {
  put('[');
  for (const Json& json : values) {
    if (&json != values.data()) put(',');
    value(json);
  }
  put(']');
}

template <class Members>
void Json::Writer::object(const Members& members) {
  put('{');
  for (const auto& member : members) {
    if (&member != std::data(members)) put(',');
    string(member.key);
    put(':');
    value(member.value);
  }
  put('}');
}

void Json::append_to(std::string& out) const {
  Writer writer(out);
  writer.value(*this);
  writer.flush();
}

void Json::append_object_to(std::string& out, std::initializer_list<Written> members) {
  refuse_double_keys(members);
  Writer writer(out);
  writer.object(members);
  writer.flush();
}

std::string Json::dump() const {
  std::string out;
  append_to(out);
  return out;
}

}  // namespace hawser
