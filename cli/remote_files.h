// The hub's files as a client sees them: entries, listings, patterns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/hub_client.h"

namespace hawser::cli {

struct RemoteEntry {
  std::string name;  // as the hub gave it: not to be trusted as a local path
  std::string type;  // file, dir, link, other
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint32_t mode = 0;
  std::optional<Json> hash;  // {"algorithm", "value"}

  [[nodiscard]] bool is_file() const noexcept { return type == "file"; }
  [[nodiscard]] bool is_dir() const noexcept { return type == "dir"; }
};

// Throws JsonError for an entry that lacks what it must have.
[[nodiscard]] RemoteEntry read_entry(const Json& json);
[[nodiscard]] std::int64_t read_mtime_ns(const Json& json);
// Sets "mtime" and "mtime_ns".
void write_mtime_ns(Json& json, std::int64_t mtime_ns);
// The hex digits of {"algorithm","value"}, or of a plain string.
[[nodiscard]] std::string hash_value(const Json& hash);

// A path in normal form as the hub understands it: without "." and doubled slashes; "" is the home. Throws
// hub::ServiceError for what the hub would refuse (.., a leading /, control characters).
[[nodiscard]] std::string normal_path(std::string_view text);
[[nodiscard]] std::string join_path(std::string_view folder, std::string_view name);
[[nodiscard]] std::string base_name(std::string_view path);
// "." for the home.
[[nodiscard]] std::string shown_path(std::string_view path);

// Throws FinalFailure when there is too much of it, all that was listed over this connection before included.
[[nodiscard]] std::vector<RemoteEntry> list_folder(HubClient& hub, const std::string& path, bool recursive);
// Nothing when there is no such file.
[[nodiscard]] std::optional<RemoteEntry> find_entry(HubClient& hub, const std::string& path);
[[nodiscard]] RemoteEntry stat_path(HubClient& hub, const std::string& path);

// * is any run of characters, ? any one, \ before one of them takes it as it
// is. A leading dot is matched by a dot only.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);
[[nodiscard]] bool is_pattern(std::string_view text);
// All that match, sorted; the text itself, unescaped, when it is no pattern. Throws Failure (not_found) when nothing
// does.
[[nodiscard]] std::vector<std::string> expand(HubClient& hub, const std::string& text);
[[nodiscard]] std::vector<std::string> expand(HubClient& hub, const std::vector<std::string>& texts);

}  // namespace hawser::cli
