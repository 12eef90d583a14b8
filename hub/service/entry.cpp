#include "hub/service/entry.h"

#include <sys/stat.h>

#include <utility>

#include "hub/service/file_version.h"

namespace hawser::hub {
namespace {

EntryType type_of(mode_t mode) noexcept {
  if (S_ISREG(mode)) return EntryType::file;
  if (S_ISDIR(mode)) return EntryType::dir;
  if (S_ISLNK(mode)) return EntryType::link;
  return EntryType::other;
}

}  // namespace

std::string_view to_string(EntryType type) noexcept {
  switch (type) {
    case EntryType::file:
      return "file";
    case EntryType::dir:
      return "dir";
    case EntryType::link:
      return "link";
    case EntryType::other:
      break;
  }
  return "other";
}

Entry to_entry(std::string name, const struct stat& status) {
  return {.name = std::move(name),
          .type = type_of(status.st_mode),
          .size = static_cast<std::uint64_t>(status.st_size),
          .mtime_ns = nanoseconds_of(status.st_mtim),
          .mode = static_cast<std::uint32_t>(status.st_mode) & 07777U,
          .hash = std::nullopt};
}

}  // namespace hawser::hub
