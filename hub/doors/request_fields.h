// How the native door reads what several commands have in common out of a request's header. Throws JsonError and
// ServiceError, both of which become `bad_request` and the like.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hawser/wire/frame.h>

#include "hub/service/entry.h"
#include "hub/service/file_hash.h"
#include "hub/service/path.h"

namespace hawser::hub {

// Null counts as absent for all that may be absent.

// The value in the request's header, nullptr when it is absent.
[[nodiscard]] const Json* given(const Frame& request, std::string_view key) noexcept;
[[nodiscard]] Path path_of(const Frame& request, std::string_view key = "path");
[[nodiscard]] std::optional<std::uint64_t> optional_uint(const Frame& request, std::string_view key);
// {"algorithm": …, "value": …}
[[nodiscard]] std::optional<FileHash> optional_hash(const Frame& request);
// Unix seconds, integer or real, and in "mtime_ns" the nanoseconds beyond a whole number of them.
[[nodiscard]] std::optional<std::int64_t> optional_mtime(const Frame& request);
// Seconds, integer or real.
[[nodiscard]] std::optional<std::chrono::milliseconds> optional_seconds(const Frame& request, std::string_view key);

[[nodiscard]] Json to_json(const FileHash& hash);
[[nodiscard]] Json to_json(const Entry& entry);
// Sets "mtime" and "mtime_ns".
void set_mtime(Json& object, std::int64_t mtime_ns);

}  // namespace hawser::hub
