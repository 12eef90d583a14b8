// What a connection says, and what it expects back: the same for all connections of a load.
//
// In raw mode a conversation is a stream of noise that comes back as it is: the tape, repeated for ever, each
// connection beginning at its own place, so that bytes of another connection or another time are noticed. In frame mode
// the tape is one frame after the other, 4-byte little-endian length, {"size":N}, N bytes of noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

class Script {
 public:
  Script(std::size_t body_size, bool frames) : frames_(frames) {
    std::string body(frames ? body_size : kPeriod, '\0');
    std::uint64_t noise = 0x9E3779B97F4A7C15;
    for (char& byte : body) {
      noise = noise * 6364136223846793005 + 1442695040888963407;
      byte = static_cast<char>(noise >> 56);
    }
    std::string unit = body;
    if (frames) {
      const std::string header = "{\"size\":" + std::to_string(body_size) + "}";
      const auto length = static_cast<std::uint32_t>(header.size());
      unit.assign(reinterpret_cast<const char*>(&length), sizeof length);
      unit += header + body;
    }
    message_ = frames ? unit.size() : body_size;
    period_ = unit.size();
    body_ = body;
    // Any stretch of up to kChunk bytes is in one piece, wherever it begins.
    while (tape_.size() < period_ + kChunk) tape_ += unit;
  }

  static constexpr std::size_t kChunk = 256 * 1024;

  [[nodiscard]] bool frames() const { return frames_; }
  // Bytes of a message on the way to the server.
  [[nodiscard]] std::size_t message() const { return message_; }
  // The body of each frame.
  [[nodiscard]] const std::string& body() const { return body_; }
  // At least kChunk bytes of what the connection says from that place of its stream on.
  [[nodiscard]] const char* at(std::uint64_t connection, std::uint64_t position) const {
    const std::uint64_t start = frames_ ? 0 : connection * 131;
    return tape_.data() + (start + position) % period_;
  }

 private:
  static constexpr std::size_t kPeriod = 65'521;

  bool frames_;
  std::size_t message_ = 0;
  std::size_t period_ = 0;
  std::string body_;
  std::string tape_;
};
