#include <hawser/wire/text_error.h>

#include <fmt/format.h>

namespace hawser {

namespace {

std::string decode_message(std::string_view codec, std::string_view bytes, std::size_t start, std::string_view reason) {
  std::string shown;
  for (const char byte : bytes) shown += fmt::format(" 0x{:02x}", static_cast<unsigned char>(byte));
  if (bytes.size() == 1)
    return fmt::format("'{}' codec can't decode byte{} in position {}: {}", codec, shown, start, reason);
  return fmt::format("'{}' codec can't decode bytes{} in position {}-{}: {}", codec, shown, start,
                     start + bytes.size() - 1, reason);
}

std::string encode_message(std::string_view codec, char32_t character, std::size_t start, std::size_t count,
                           std::string_view reason) {
  const auto code = static_cast<std::uint32_t>(character);
  if (count == 1) {
    return fmt::format("'{}' codec can't encode character U+{:04X} in position {}: {}", codec, code, start, reason);
  }
  return fmt::format("'{}' codec can't encode characters from U+{:04X} on in position {}-{}: {}", codec, code, start,
                     start + count - 1, reason);
}

}  // namespace

DecodeError::DecodeError(std::string_view codec, std::string_view bytes, std::size_t start, std::string_view reason)
    : TextError(decode_message(codec, bytes, start, reason), codec, start, start + bytes.size(), reason),
      bytes_(bytes) {}

EncodeError::EncodeError(std::string_view codec, char32_t character, std::size_t start, std::size_t count,
                         std::string_view reason)
    : TextError(encode_message(codec, character, start, count, reason), codec, start, start + count, reason),
      character_(character) {}

}  // namespace hawser
