// FileRoot: what Files, its uploads and its downloads share.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string_view>

#include <hawser/base/fd.h>

#include "hub/service/audit.h"
#include "hub/service/error.h"
#include "hub/service/file_hash.h"
#include "hub/service/files.h"
#include "hub/service/home.h"
#include "hub/service/home_use.h"
#include "hub/service/session.h"
#include "hub/service/staging.h"
#include "hub/service/upload_slot.h"

namespace hawser::hub {

struct FileRoot {
  FileRoot(const std::filesystem::path& folder, Store& a_store, Audit& an_audit, FileOptions some_options);

  [[nodiscard]] Home home_of(const Session& session) const { return Home::open(homes.get(), session.user); }
  void record(const Session& session, std::string_view action, std::string_view object,
              std::string_view result = "ok") const noexcept;
  // What may be tried again without limit.
  void record_refusal(const Session& session, std::string_view action, std::string_view object,
                      ErrorCode code) const noexcept;

  // Known hashes. A store that fails makes a hash unknown, nothing worse.
  [[nodiscard]] std::optional<FileHash> known_hash(const struct stat& status, HashAlgorithm algorithm) const noexcept;
  // For a file that the hub alone has written, as it was when it had been hashed.
  void remember(const struct stat& status, const FileHash& hash) const noexcept;
  // For a file that was read: not if it changed a moment ago, since one more change within the clock's grain would not
  // show.
  void remember_read(const struct stat& status, const FileHash& hash) const noexcept;

  std::filesystem::path path;
  UniqueFd root;
  UniqueFd homes;
  Store& store;
  Audit& audit;
  FileOptions options;
  Staging staging;
  UploadSlots slots;
  HomeUse home_use;
};

// The file as it is now, when its contents are what they were when it was `before` and had the hash (if there is one);
// nothing when they changed, or when the file has no name any more. Where all but the ctime is the same, it was renamed
// or had its mode changed, or it was written and its mtime put back: then the file is read again for its hash.
[[nodiscard]] std::optional<struct stat> status_if_unchanged(int file, const struct stat& before,
                                                             const std::optional<FileHash>& hash,
                                                             std::string_view shown, const std::stop_token& stop);

// Reads `length` bytes of the file from its beginning into the hasher. Throws ServiceError(conflict) when it is
// shorter, Cancelled.
void hash_file(int file, std::uint64_t length, Hasher& hasher, std::string_view shown, const std::stop_token& stop);

}  // namespace hawser::hub
