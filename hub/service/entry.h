// Entry: what a listing or a stat says of one file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/service/file_hash.h"

struct stat;

namespace hawser::hub {

// `other`: fifos, devices and sockets. They are shown, and refused by everything that would open them.
enum class EntryType : std::uint8_t { file, dir, link, other };

// "file", "dir", "link", "other".
[[nodiscard]] std::string_view to_string(EntryType type) noexcept;

struct Entry {
  std::string name;  // below what was listed, with '/' when recursive; always UTF-8 (bytes that are not become U+FFFD)
  EntryType type = EntryType::file;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;     // Unix time
  std::uint32_t mode = 0;        // permission bits
  std::optional<FileHash> hash;  // stat only, when one is known
};

[[nodiscard]] Entry to_entry(std::string name, const struct stat& status);

}  // namespace hawser::hub
