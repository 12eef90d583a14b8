#include <hawser/wire/frame.h>

#include <fmt/format.h>

namespace hawser {

std::string_view to_string(FrameFault fault) noexcept {
  switch (fault) {
    case FrameFault::bad_length:
      return "bad_length";
    case FrameFault::header_limit:
      return "header_limit";
    case FrameFault::truncated:
      return "truncated";
    case FrameFault::not_json:
      return "not_json";
    case FrameFault::not_object:
      return "not_object";
    case FrameFault::duplicate_key:
      return "duplicate_key";
    case FrameFault::invalid_utf8:
      return "invalid_utf8";
    case FrameFault::too_deep:
      return "too_deep";
    case FrameFault::bad_size:
      return "bad_size";
    case FrameFault::body_limit:
      return "body_limit";
    case FrameFault::slow:
      return "slow";
  }
  return "unknown";
}

JsonField Frame::operator[](std::string_view key) const {
  if (!present_) throw FrameError(FrameFault::truncated, "the stream ended where a frame was expected");
  return header_[key];
}

std::uint64_t body_size_of(const Json& header, const FrameLimits& limits) {
  const Json* size = header.find("size");
  if (size == nullptr) return 0;
  std::uint64_t value = FrameLimits::kMaxBody + 1;
  try {
    value = size->as_uint64();
  } catch (const JsonError&) {
    // Refused below, like a size that fits in 64 bits but in no file.
  }
  if (value > FrameLimits::kMaxBody) {
    std::string found = size->dump();
    if (found.size() > 40) found = found.substr(0, 37) + "...";
    throw FrameError(FrameFault::bad_size, fmt::format("\"size\" must be an integer from 0 to 2^63-1, not {}", found));
  }
  if (value > limits.max_body) {
    throw FrameError(FrameFault::body_limit,
                     fmt::format("a body of {} bytes is beyond the limit of {}", value, limits.max_body));
  }
  return value;
}

}  // namespace hawser
