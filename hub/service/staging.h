// Staging: root/staging, where uploads lie until they are whole. One folder a user, one file an upload.
//
// A resumable upload's file is named by its key, a digest of what makes it "exactly this upload"; one that cannot be
// resumed begins with "once-" and goes with its connection, at the latest at the next start. Beside large ones lies
// "<key>.synced", the length that is known to be on the disk. "<staging>/.boot" holds the id of the boot in which the
// files were written: when it is another than today's, all lengths are cut back to what was synced (upload.h says why).
// "<staging>/.lock" keeps a second hub out.
//
// Blocks on the disk; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/base/fd.h>

#include "hub/service/file_hash.h"
#include "hub/service/path.h"
#include "hub/service/upload_slot.h"

namespace hawser::hub {

// The name of the staged file: of this user's upload of exactly this content to exactly this path.
[[nodiscard]] std::string upload_key(const Path& path, std::uint64_t total, const FileHash& hash);

// One staged file, open for reading and writing.
struct StagedFile {
  UniqueFd folder;  // of the user
  std::string name;
  UniqueFd file;
  std::uint64_t size = 0;
};

class Staging {
 public:
  // Throws ServiceError(busy) when another hub has the lock; SystemError.
  Staging(int root, std::chrono::seconds keep, std::size_t partials_per_user);

  // How long the staged file is; 0 when there is none.
  [[nodiscard]] std::uint64_t size_of(const std::string& user, const std::string& key) const;
  // The staged file, when there is one.
  [[nodiscard]] std::optional<StagedFile> find(const std::string& user, const std::string& key) const;
  // A new one. When the user has too many already, the one that was written to longest ago and that nobody has in use
  // is dropped for it; throws ServiceError(busy) when all are in use.
  [[nodiscard]] StagedFile make(const std::string& user, const std::string& key, UploadSlots& slots);
  // A name for one that cannot be resumed.
  [[nodiscard]] std::string once_name();
  // Removes it, and what was noted about it.
  void drop(const std::string& user, const StagedFile& staged) noexcept;
  // To be called when it was moved to its place.
  void moved(const std::string& user, const StagedFile& staged) noexcept;
  // Notes that the first `length` bytes are on the disk.
  void note_synced(const StagedFile& staged, std::uint64_t length) const;

  // Bytes that the user's staged files take, but for those of these names.
  [[nodiscard]] std::uint64_t bytes_of(const std::string& user,
                                       const std::map<std::string, std::uint64_t, std::less<>>& but_for) const;
  // Free bytes on the file system.
  [[nodiscard]] std::uint64_t free_bytes() const;
  // Drops what nobody went on with, unless it is in use.
  void clean_up(UploadSlots& slots);

 private:
  [[nodiscard]] UniqueFd folder_of(const std::string& user, bool make) const;
  // Takes a place among the user's, unless there is none.
  [[nodiscard]] bool take_place(const std::string& user);
  // False when there is none that could go.
  [[nodiscard]] bool drop_oldest(const std::string& user, UploadSlots& slots);
  void lock();
  void cut_back_after_boot();
  void count(const std::string& user, int by) noexcept;

  UniqueFd root_;
  UniqueFd lock_;
  std::chrono::seconds keep_;
  std::size_t partials_per_user_;
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> counts_;  // staged files, by user
  std::uint64_t next_once_ = 0;
};

}  // namespace hawser::hub
