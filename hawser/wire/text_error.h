// What encoding and decoding text throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hawser {

// What becomes of bytes that are no text, and of characters that an encoding does not have.
enum class OnError : std::uint8_t {
  strict,            // DecodeError or EncodeError
  ignore,            // left out
  replace,           // U+FFFD where bytes were, ? where characters were
  backslashreplace,  // \xe4 for a byte, \u20ac or \U0001f600 for a character
};

// Text that one encoding cannot express. The message is Python's: codec, what was found, where, why.
class TextError : public std::runtime_error {
 public:
  [[nodiscard]] const std::string& codec() const noexcept { return codec_; }
  // The first place that is bad, and the first behind it: bytes for DecodeError, characters for EncodeError, counted
  // from the beginning of all that the decoder or encoder has been given.
  [[nodiscard]] std::size_t start() const noexcept { return start_; }
  [[nodiscard]] std::size_t end() const noexcept { return end_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 protected:
  TextError(const std::string& what, std::string_view codec, std::size_t start, std::size_t end,
            std::string_view reason)
      : std::runtime_error(what), codec_(codec), start_(start), end_(end), reason_(reason) {}

 private:
  std::string codec_;
  std::size_t start_;
  std::size_t end_;
  std::string reason_;
};

class DecodeError : public TextError {
 public:
  DecodeError(std::string_view codec, std::string_view bytes, std::size_t start, std::string_view reason);
  // The bytes from start() to end().
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

class EncodeError : public TextError {
 public:
  // character: the first of `count` that the codec does not have.
  EncodeError(std::string_view codec, char32_t character, std::size_t start, std::size_t count,
              std::string_view reason);
  [[nodiscard]] char32_t character() const noexcept { return character_; }

 private:
  char32_t character_;
};

// A name that stands for no codec, or for one that this machine's iconv(3) does not have. Python: LookupError.
class UnknownCodec : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace hawser
