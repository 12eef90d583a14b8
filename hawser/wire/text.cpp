#include <hawser/wire/text.h>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include <hawser/wire/text_codec.h>

namespace hawser {

namespace {

using detail::InnerCharacter;
using detail::TextState;
using detail::TextStop;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

const detail::TextCodec* known_codec(std::string_view name) {
  const detail::TextCodec* codec = detail::find_codec(name);
  if (codec == nullptr) throw UnknownCodec(fmt::format("unknown encoding: {}", name.substr(0, 100)));
  return codec;
}

void append_escaped_bytes(std::string& text, std::string_view bytes) {
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

std::string escaped(char32_t character) {
  const auto code = static_cast<std::uint32_t>(character);
  if (code < 0x100) return fmt::format("\\x{:02x}", code);
  return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

// How many characters text has; what is malformed counts once.
std::size_t characters_in(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(detail::inner_character(text).length);
    ++count;
  }
  return count;
}

// The same for a text without mistakes: every character has one byte that begins it.
std::size_t characters_in_good(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80; }));
}

// What stands for characters that the codec does not have.
std::string stand_in(std::string_view characters, OnError on_error) {
  std::string text;
  while (!characters.empty() && on_error != OnError::ignore) {
    const InnerCharacter character = detail::inner_character(characters);
    if (on_error == OnError::replace) {
      text.push_back('?');
    } else if (character.good || character.surrogate) {
      text += escaped(character.value);
    } else {
      append_escaped_bytes(text, characters.substr(0, character.length));
    }
    characters.remove_prefix(character.length);
  }
  return text;
}

// A piece behind what was kept of the one before, which is seldom anything.
std::string_view joined(const std::string& pending, std::string_view piece, std::string& room) {
  if (pending.empty()) return piece;
  room.reserve(pending.size() + piece.size());
  room.append(pending).append(piece);
  return room;
}

}  // namespace

Codec::Codec(std::string_view name) : codec_(known_codec(name)) {}

std::string_view Codec::name() const noexcept { return codec_->name(); }

std::string TextDecoder::decode(BytesView piece, bool final) {
  std::string room;
  const std::string_view bytes = joined(pending_, piece.text(), room);
  TextState state{begun_, shifted_};
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 2);
  std::size_t at = 0;
  for (;;) {
    const TextStop stop = codec_.codec_->decode(bytes.substr(at), state, text);
    at += stop.at;
    if (stop.length == 0 || (stop.incomplete && !final)) break;
    const std::string_view bad = bytes.substr(at, stop.length);
    switch (on_error_) {
      case OnError::strict:
        throw DecodeError(codec_.name(), bad, position_ + at, stop.reason);
      case OnError::ignore:
        break;
      case OnError::replace:
        text.append(kReplacement);
        break;
      case OnError::backslashreplace:
        append_escaped_bytes(text, bad);
        break;
    }
    at += stop.length;
  }
  pending_ = std::string(bytes.substr(at));
  position_ += at;
  begun_ = state.begun;
  shifted_ = state.shifted;
  return text;
}

void TextDecoder::reset() noexcept {
  pending_.clear();
  position_ = 0;
  begun_ = shifted_ = false;
}

Bytes TextEncoder::encode(std::string_view piece, bool final) {
  std::string room;
  const std::string_view text = joined(pending_, piece, room);
  TextState state{begun_, shifted_};
  std::string bytes;
  bytes.reserve(text.size() + 4);
  std::size_t at = 0;
  std::size_t characters = 0;
  for (;;) {
    const TextStop stop = codec_.codec_->encode(text.substr(at), state, bytes);
    characters += characters_in_good(text.substr(at, stop.at));
    at += stop.at;
    if (stop.length == 0 || (stop.incomplete && !final)) break;
    const std::string_view bad = text.substr(at, stop.length);
    if (on_error_ == OnError::strict) {
      throw EncodeError(codec_.name(), detail::inner_character(bad).value, position_ + characters, characters_in(bad),
                        stop.reason);
    }
    codec_.codec_->encode(stand_in(bad, on_error_), state, bytes);
    characters += characters_in(bad);
    at += stop.length;
  }
  if (final) codec_.codec_->finish(state, bytes);
  position_ += characters;
  pending_ = std::string(text.substr(at));
  begun_ = state.begun;
  shifted_ = state.shifted;
  return {std::string_view(bytes)};
}

void TextEncoder::reset() noexcept {
  pending_.clear();
  position_ = 0;
  begun_ = shifted_ = false;
}

std::string decode(BytesView bytes, Codec codec, OnError on_error) {
  return TextDecoder(codec, on_error).decode(bytes, true);
}

Bytes encode(std::string_view text, Codec codec, OnError on_error) {
  return TextEncoder(codec, on_error).encode(text, true);
}

Bytes encode(std::u32string_view text, Codec codec, OnError on_error) { return encode(to_utf8(text), codec, on_error); }

std::u32string from_utf8(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character found = utf8_character(text.substr(at));
    // Says exactly what is wrong.
    if (found.kind != Utf8Character::Kind::good) (void)decode(text);
    characters.push_back(found.value);
    at += found.length;
  }
  return characters;
}

std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t character : text) append_utf8(bytes, character);
  return bytes;
}

}  // namespace hawser
