#include <hawser/wire/frame.h>

#include <optional>

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

std::uint64_t claimed_body_size(const Json& header) {
  const Json* size = header.find("size");
  if (size == nullptr) return 0;
  const std::optional<std::uint64_t> value = size->to_uint64();
  if (value && *value <= FrameLimits::kMaxBody) return *value;
  std::string found = size->dump();
  if (found.size() > 40) found = found.substr(0, 37) + "...";
  throw FrameError(FrameFault::bad_size, fmt::format("\"size\" must be an integer from 0 to 2^63-1, not {}", found));
}

Frame::Frame(std::string_view header, std::size_t readable, const FrameLimits& limits)
    : header_(Json::parse_padded(header, readable, limits.json)), present_(true) {
  if (!header_.is_object()) throw FrameError(FrameFault::not_object, "the header is not a JSON object");
  body_size_ = claimed_body_size(header_);
  if (body_size_ > limits.max_body) {
    throw FrameError(FrameFault::body_limit,
                     fmt::format("a body of {} bytes is beyond the limit of {}", body_size_, limits.max_body));
  }
}

JsonField Frame::operator[](std::string_view key) const {
  if (!present_) throw FrameError(FrameFault::truncated, "the stream ended where a frame was expected");
  return header_[key];
}

}  // namespace hawser
