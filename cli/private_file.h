// Small files that only their owner may read: the saved sessions, the known hubs.
//
// Blocks on the disk, for microseconds. Throws SystemError naming the file.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace hawser::cli {

// The whole file; empty when there is none. More than 1 MiB is refused.
[[nodiscard]] std::string read_private_file(const std::filesystem::path& file);

// Replaces the file by what change() makes of its text. Changes by several processes follow one another; the file is
// replaced whole, synced and with mode 0600, or left as it was. Makes the folder (0700) when it is missing.
void change_private_file(const std::filesystem::path& file, const std::function<std::string(std::string_view)>& change);

}  // namespace hawser::cli
