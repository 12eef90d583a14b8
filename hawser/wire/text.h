// Text and its encodings: bytes to text and back, all at once or piece by piece.
//
//   std::string text = decode(bytes, "gbk");
//   Bytes again = encode(text, "gbk", OnError::replace);
//
//   TextDecoder decoder("gb18030");                           // a character may lie across two pieces
//   while (Bytes piece = sock.recv(1024)) show(decoder.decode(piece));
//   show(decoder.finish());
//
// Text is UTF-8 in a std::string; the bytes of the encoding are Bytes. Codecs: utf-8, utf-8-sig, gbk, gb18030, gb2312,
// hz, ascii, latin-1, by any of Python's names for them. Mappings, errors and their borders are CPython's, which for
// GB18030 is the standard of 2000; what the machine's iconv(3) has otherwise is told in docs/guide/text.md.
//
// Nothing waits. What is malformed is DecodeError or EncodeError, naming codec, what was found, where and why, unless
// OnError says otherwise; a name nobody knows is UnknownCodec. A Codec may be used from everywhere at once, a decoder
// or encoder by one at a time. Both keep at most three bytes between two calls.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <hawser/base/bytes.h>
#include <hawser/wire/text_error.h>

namespace hawser {

namespace detail {
class TextCodec;
}

// An encoding. A literal stands for it wherever one is wanted.
class Codec {
 public:
  Codec(std::string_view name);                                      // NOLINT(google-explicit-constructor)
  Codec(const char* name) : Codec(std::string_view(name)) {}         // NOLINT(google-explicit-constructor)
  Codec(const std::string& name) : Codec(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] std::string_view name() const noexcept;
  friend bool operator==(Codec a, Codec b) noexcept { return a.codec_ == b.codec_; }

 private:
  friend class TextDecoder;
  friend class TextEncoder;
  const detail::TextCodec* codec_;
};

[[nodiscard]] std::string decode(BytesView bytes, Codec codec = "utf-8", OnError on_error = OnError::strict);
[[nodiscard]] Bytes encode(std::string_view text, Codec codec = "utf-8", OnError on_error = OnError::strict);
// The same for text as code points, in which there may be lone surrogates.
[[nodiscard]] Bytes encode(std::u32string_view text, Codec codec = "utf-8", OnError on_error = OnError::strict);

// The code points of UTF-8 and back. from_utf8 throws DecodeError.
[[nodiscard]] std::u32string from_utf8(std::string_view text);
[[nodiscard]] std::string to_utf8(std::u32string_view text);

// Decodes a stream in pieces: together they give what decode() gives for the whole, wherever it was cut. After a
// DecodeError it is as it was before the call.
class TextDecoder {
 public:
  explicit TextDecoder(Codec codec = "utf-8", OnError on_error = OnError::strict) noexcept
      : codec_(codec), on_error_(on_error) {}

  // What is complete of the text so far. final: this is the end, and a character that is not complete is an error.
  [[nodiscard]] std::string decode(BytesView piece, bool final = false);
  [[nodiscard]] std::string finish() { return decode({}, true); }
  // Begins a new stream.
  void reset() noexcept;

  // Bytes done since the beginning; bytes kept because the character they begin is not complete.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

 private:
  Codec codec_;
  OnError on_error_;
  std::string pending_;
  std::size_t position_ = 0;
  bool begun_ = false;
  bool shifted_ = false;
};

// Encodes a text in pieces, which may be cut anywhere, also inside a character's UTF-8. After an EncodeError it is as
// it was before the call.
class TextEncoder {
 public:
  explicit TextEncoder(Codec codec = "utf-8", OnError on_error = OnError::strict) noexcept
      : codec_(codec), on_error_(on_error) {}

  [[nodiscard]] Bytes encode(std::string_view piece, bool final = false);
  [[nodiscard]] Bytes finish() { return encode({}, true); }
  void reset() noexcept;

  // Characters done since the beginning.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }

 private:
  Codec codec_;
  OnError on_error_;
  std::string pending_;
  std::size_t position_ = 0;
  bool begun_ = false;
  bool shifted_ = false;
};

}  // namespace hawser
