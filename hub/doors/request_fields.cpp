#include "hub/doors/request_fields.h"

#include <cmath>
#include <string>

#include <fmt/format.h>

#include "hub/service/error.h"

namespace hawser::hub {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

[[noreturn]] void out_of_range(std::string_view key) {
  throw ServiceError(ErrorCode::bad_request, fmt::format("\"{}\" is out of range", key));
}

}  // namespace

const Json* given(const Frame& request, std::string_view key) noexcept {
  const Json* value = request.header().find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

Path path_of(const Frame& request, std::string_view key) { return Path::parse(request[key].as_string()); }

std::optional<std::uint64_t> optional_uint(const Frame& request, std::string_view key) {
  const Json* value = given(request, key);
  if (value == nullptr) return std::nullopt;
  return JsonField(key, value).as_uint64();
}

std::optional<FileHash> optional_hash(const Frame& request) {
  const Json* value = given(request, "hash");
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    throw ServiceError(ErrorCode::bad_request, "\"hash\" must be {\"algorithm\", \"value\"}");
  }
  return FileHash::parse((*value)["algorithm"].as_string(), (*value)["value"].as_string());
}

std::optional<std::int64_t> optional_mtime(const Frame& request) {
  const Json* value = given(request, "mtime");
  if (value == nullptr) return std::nullopt;
  // What 64 bits of nanoseconds hold: 1678 to 2261.
  constexpr double kLatest = 9.2e9;
  const double seconds = JsonField("mtime", value).as_double();
  if (!(std::abs(seconds) < kLatest)) out_of_range("mtime");
  const std::uint64_t nanoseconds = optional_uint(request, "mtime_ns").value_or(0);
  if (nanoseconds >= static_cast<std::uint64_t>(kSecond)) out_of_range("mtime_ns");
  const double whole = std::floor(seconds);
  const auto fraction = static_cast<std::int64_t>((seconds - whole) * static_cast<double>(kSecond));
  return static_cast<std::int64_t>(whole) * kSecond + fraction + static_cast<std::int64_t>(nanoseconds);
}

std::optional<std::chrono::milliseconds> optional_seconds(const Frame& request, std::string_view key) {
  const Json* value = given(request, key);
  if (value == nullptr) return std::nullopt;
  const double seconds = JsonField(key, value).as_double();
  constexpr double kLongest = 1e9;
  if (!(seconds > 0) || seconds > kLongest) out_of_range(key);
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

Json to_json(const FileHash& hash) { return {{"algorithm", to_string(hash.algorithm)}, {"value", hash.value}}; }

Json to_json(const Entry& entry) {
  Json json = {{"name", entry.name}, {"type", to_string(entry.type)}, {"size", entry.size}};
  set_mtime(json, entry.mtime_ns);
  json.set("mode", entry.mode);
  if (entry.hash) json.set("hash", to_json(*entry.hash));
  return json;
}

void set_mtime(Json& object, std::int64_t mtime_ns) {
  std::int64_t seconds = mtime_ns / kSecond;
  std::int64_t rest = mtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  object.set("mtime", seconds);
  if (rest != 0) object.set("mtime_ns", rest);
}

}  // namespace hawser::hub
