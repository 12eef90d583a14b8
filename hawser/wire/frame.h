// Frame: one message of the wire: a JSON header and the size of the body that follows it.
//
//   int32, little-endian, > 0      length of the header in bytes (at most 65,536)
//   header                         one JSON object, UTF-8
//   body                           header["size"] bytes (absent or 0: none; at most 2^63-1)
//
// The format is described in docs/protocol.md. A Frame is a plain value; its body is read from the FrameStream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/base/clock.h>
#include <hawser/wire/json.h>

namespace hawser {

// What is wrong with a frame.
enum class FrameFault : std::uint8_t {
  bad_length,     // the header's length is zero or negative
  header_limit,   // the header's length is beyond the limit
  truncated,      // the stream ended inside a frame
  not_json,       // the header is not JSON
  not_object,     // the header is JSON, but not an object
  duplicate_key,  // a key comes twice in one object of the header
  invalid_utf8,   // the header is not UTF-8
  too_deep,       // the header nests too deeply
  bad_size,       // "size" is no integer from 0 to 2^63-1
  body_limit,     // "size" is beyond the limit of this stream
  slow,           // the header did not arrive in time
};

// "truncated" and so on.
[[nodiscard]] std::string_view to_string(FrameFault fault) noexcept;

// A frame that cannot be understood. The stream has lost its borders: the conversation ends.
class FrameError : public std::runtime_error {
 public:
  FrameError(FrameFault fault, const std::string& what) : std::runtime_error(what), fault_(fault) {}
  [[nodiscard]] FrameFault fault() const noexcept { return fault_; }

 private:
  FrameFault fault_;
};

struct FrameLimits {
  static constexpr std::uint64_t kMaxBody = std::numeric_limits<std::int64_t>::max();

  std::size_t max_header = 65'536;
  std::uint64_t max_body = kMaxBody;
  // How long receive() waits for a frame to begin (TimedOut), and from its first byte to the end of its header
  // (FrameFault::slow).
  Timeout idle = std::nullopt;
  Timeout header = std::nullopt;
  JsonLimits json = {};
};

class Frame {
 public:
  // No frame: the stream ended between frames.
  Frame() = default;
  // Reads a header. As with Json::parse_padded(), `readable` bytes from header.data() on may be read. Throws
  // JsonSyntaxError; FrameError (not_object, bad_size, body_limit).
  Frame(std::string_view header, std::size_t readable, const FrameLimits& limits);

  // False for the end of the stream, so that `while (Frame f = frames.receive())` ends with it.
  explicit operator bool() const noexcept { return present_; }

  [[nodiscard]] const Json& header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t body_size() const noexcept { return body_size_; }
  // The header's member. Throws FrameError (truncated) when this is the end of the stream.
  [[nodiscard]] JsonField operator[](std::string_view key) const;

 private:
  Json header_;
  std::uint64_t body_size_ = 0;
  bool present_ = false;
};

// The size that a header claims, 0 when it claims none. Throws FrameError (bad_size).
[[nodiscard]] std::uint64_t claimed_body_size(const Json& header);

}  // namespace hawser
