// Internal: what an encoding is to the decoders and encoders of hawser/wire/text.h. Text is UTF-8 on the inner side; a
// lone surrogate may stand in it as three bytes, and no encoding here has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/wire/utf8.h>

namespace hawser::detail {

// What an encoding remembers between two pieces of a stream.
struct TextState {
  bool begun = false;    // something has gone through: no byte order mark is due any more
  bool shifted = false;  // between ~{ and ~}
};

// Where it stopped and why.
struct TextStop {
  std::size_t at = 0;            // bytes done
  std::size_t length = 0;        // of what comes next and is bad; 0: nothing is bad
  bool incomplete = false;       // more bytes may make it good
  std::string_view reason = {};  // why it is bad
};

class TextCodec {
 public:
  explicit constexpr TextCodec(std::string_view name) noexcept : name_(name) {}
  TextCodec(const TextCodec&) = delete;
  TextCodec& operator=(const TextCodec&) = delete;
  virtual ~TextCodec() = default;
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

  // Appends what the bytes say until something is bad.
  virtual TextStop decode(std::string_view bytes, TextState& state, std::string& text) const = 0;
  // Appends the bytes of the text until a character has none.
  virtual TextStop encode(std::string_view text, TextState& state, std::string& bytes) const = 0;
  // What must stand behind the last character.
  virtual void finish(TextState& /*state*/, std::string& /*bytes*/) const {}

 private:
  std::string_view name_;
};

// A character of the inner side. length bytes; good when an encoding may have it.
struct InnerCharacter {
  char32_t value = 0;
  std::size_t length = 1;
  bool good = true;
  bool cut = false;        // the text ends inside of it
  bool surrogate = false;  // in which case value is set, too
};
[[nodiscard]] InnerCharacter inner_character(std::string_view text) noexcept;

// The stop at a character that is none, or that the encoding does not have.
[[nodiscard]] TextStop stop_at(std::size_t at, const InnerCharacter& character, std::string_view reason) noexcept;

// The codec of that name, however it is written; none when there is no such.
[[nodiscard]] const TextCodec* find_codec(std::string_view name);

[[nodiscard]] const TextCodec& utf8_codec();
[[nodiscard]] const TextCodec& utf8_sig_codec();
[[nodiscard]] const TextCodec& ascii_codec();
[[nodiscard]] const TextCodec& latin1_codec();
// These throw UnknownCodec when iconv(3) does not know the mapping.
[[nodiscard]] const TextCodec& gbk_codec();
[[nodiscard]] const TextCodec& gb18030_codec();
[[nodiscard]] const TextCodec& gb2312_codec();
[[nodiscard]] const TextCodec& hz_codec();

}  // namespace hawser::detail
