// UTF-8, with and without a byte order mark, and the two encodings that are one byte a character.
#include <hawser/base/made_once.h>
#include <hawser/wire/text_codec.h>

namespace hawser::detail {

InnerCharacter inner_character(std::string_view text) noexcept {
  const Utf8Character found = utf8_character(text);
  if (found.kind == Utf8Character::Kind::good) return {found.value, found.length};
  const auto byte = [text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  if (byte(0) == 0xED && byte(1) >= 0xA0 && byte(1) <= 0xBF) {
    if (text.size() == 2) return {.length = 2, .good = false, .cut = true};
    if ((byte(2) & 0xC0U) == 0x80) {
      return {0xD000 | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU), 3, false, false, true};
    }
  }
  return {.value = byte(0), .length = found.length, .good = false, .cut = found.kind == Utf8Character::Kind::cut};
}

TextStop stop_at(std::size_t at, const InnerCharacter& character, std::string_view reason) noexcept {
  const bool malformed = !character.good && !character.surrogate;
  return {at, character.length, character.cut, malformed ? std::string_view("the text is not UTF-8") : reason};
}

namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";

bool is_cut_surrogate(std::string_view rest) {
  return rest.size() == 2 && rest[0] == '\xED' && (static_cast<unsigned char>(rest[1]) & 0xE0U) == 0xA0;
}

TextStop decode_utf8(std::string_view bytes, std::string& text) {
  std::size_t at = 0;
  TextStop stop;
  while (at < bytes.size()) {
    at += ascii_run(bytes.substr(at));
    if (at == bytes.size()) break;
    const Utf8Character found = utf8_character(bytes.substr(at));
    if (found.kind != Utf8Character::Kind::good) {
      stop.length = found.length;
      switch (found.kind) {
        case Utf8Character::Kind::cut:
          stop.incomplete = true;
          stop.reason = "unexpected end of data";
          break;
        case Utf8Character::Kind::bad_start:
          stop.reason = "invalid start byte";
          break;
        default:
          // As in CPython, two thirds of a surrogate wait for the last one, and then are as wrong as before.
          stop.incomplete = is_cut_surrogate(bytes.substr(at));
          stop.reason = "invalid continuation byte";
          break;
      }
      break;
    }
    at += found.length;
  }
  text.append(bytes.substr(0, at));
  stop.at = at;
  return stop;
}

// What is bad runs on over all characters that are bad for the same reason.
template <class Has>
TextStop bad_run(std::string_view text, std::size_t at, std::string_view reason, Has has) {
  const InnerCharacter first = inner_character(text.substr(at));
  TextStop stop = stop_at(at, first, reason);
  if (!first.good && !first.surrogate) return stop;
  while (at + stop.length < text.size()) {
    const InnerCharacter next = inner_character(text.substr(at + stop.length));
    if (has(next) || (!next.good && !next.surrogate)) break;
    stop.length += next.length;
  }
  return stop;
}

class Utf8Codec final : public TextCodec {
 public:
  using TextCodec::TextCodec;
  TextStop decode(std::string_view bytes, TextState& /*state*/, std::string& text) const override {
    return decode_utf8(bytes, text);
  }
  TextStop encode(std::string_view text, TextState& /*state*/, std::string& bytes) const override {
    const TextStop stop = decode_utf8(text, bytes);
    if (stop.length == 0) return stop;
    return bad_run(text, stop.at, "surrogates not allowed", [](const InnerCharacter& c) { return c.good; });
  }
};

class Utf8SigCodec final : public TextCodec {
 public:
  using TextCodec::TextCodec;
  TextStop decode(std::string_view bytes, TextState& state, std::string& text) const override {
    if (state.begun || bytes.empty()) return decode_utf8(bytes, text);
    if (bytes.size() < kMark.size() && kMark.starts_with(bytes)) {
      return {0, bytes.size(), true, "unexpected end of data"};
    }
    state.begun = true;
    const std::size_t mark = bytes.starts_with(kMark) ? kMark.size() : 0;
    TextStop stop = decode_utf8(bytes.substr(mark), text);
    stop.at += mark;
    return stop;
  }
  TextStop encode(std::string_view text, TextState& state, std::string& bytes) const override {
    if (!state.begun) bytes.append(kMark);
    state.begun = true;
    return utf8_codec().encode(text, state, bytes);
  }
};

// The first so many characters of Unicode, each as the byte of its number.
class ByteCodec final : public TextCodec {
 public:
  constexpr ByteCodec(std::string_view name, char32_t count, std::string_view reason) noexcept
      : TextCodec(name), count_(count), reason_(reason) {}
  TextStop decode(std::string_view bytes, TextState& /*state*/, std::string& text) const override {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const auto byte = static_cast<unsigned char>(bytes[at]);
      if (byte >= count_) return {at, 1, false, reason_};
      append_utf8(text, byte);
    }
    return {bytes.size()};
  }
  TextStop encode(std::string_view text, TextState& /*state*/, std::string& bytes) const override {
    const auto has = [this](const InnerCharacter& c) { return c.good && c.value < count_; };
    std::size_t at = 0;
    while (at < text.size()) {
      const InnerCharacter character = inner_character(text.substr(at));
      if (!has(character)) return bad_run(text, at, reason_, has);
      bytes.push_back(static_cast<char>(character.value));
      at += character.length;
    }
    return {at};
  }

 private:
  char32_t count_;
  std::string_view reason_;
};

constinit MadeOnce<const Utf8Codec> g_utf8;
constinit MadeOnce<const Utf8SigCodec> g_utf8_sig;
constinit MadeOnce<const ByteCodec> g_ascii;
constinit MadeOnce<const ByteCodec> g_latin1;

}  // namespace

const TextCodec& utf8_codec() {
  return g_utf8.get([] { return Utf8Codec("utf-8"); });
}

const TextCodec& utf8_sig_codec() {
  return g_utf8_sig.get([] { return Utf8SigCodec("utf-8-sig"); });
}

const TextCodec& ascii_codec() {
  return g_ascii.get([] { return ByteCodec("ascii", 0x80, "ordinal not in range(128)"); });
}

const TextCodec& latin1_codec() {
  return g_latin1.get([] { return ByteCodec("latin-1", 0x100, "ordinal not in range(256)"); });
}

}  // namespace hawser::detail
