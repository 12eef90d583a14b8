// The beginning of an upload: everything that can be refused before a byte has come.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "hub/service/file_root.h"
#include "hub/service/upload.h"

namespace hawser::hub {

// Upload's own memory.
struct Upload::Parts {
  FileRoot& root;
  Session session;
  UploadRequest request;
  std::shared_ptr<UploadSlot> slot;
  StagedFile staged;
  Hasher hasher;
  std::uint64_t offset = 0;
  std::uint64_t synced = 0;
  std::uint64_t replaces = 0;  // the size of what it replaces, which the quota check gave back
  bool ended = false;          // committed or dropped
  bool in_place = false;       // the file has its name already; nothing is staged

  [[nodiscard]] bool resumable() const noexcept { return request.hash.has_value(); }
  void drop() noexcept;
};

// The file that the upload would replace, checked for what must not be replaced: a directory (conflict), a special file
// (forbidden). nothing: none there.
[[nodiscard]] std::optional<struct stat> replaceable(const Place& place, const Path& path);

// HomeUse::lock(), for a user with a quota: without one nobody need wait for anybody.
[[nodiscard]] std::unique_lock<std::mutex> lock_quota(FileRoot& root, const Session& session);

// Throws ServiceError(quota_exceeded) when the home cannot take the upload instead of a file of size `replaces`. The
// caller holds HomeUse::lock().
void check_quota(FileRoot& root, const Session& session, const Home& home, const UploadRequest& request,
                 std::uint64_t replaces, const std::string& staged_name);

// True when the file in place is known to be exactly what is announced.
[[nodiscard]] bool is_in_place(const FileRoot& root, const UploadRequest& request,
                               const std::optional<struct stat>& there) noexcept;

[[nodiscard]] std::uint64_t staged_offset(FileRoot& root, const Session& session, const UploadRequest& request);
[[nodiscard]] std::unique_ptr<Upload::Parts> begin(FileRoot& root, const Session& session, const UploadRequest& request,
                                                   const std::stop_token& stop);

}  // namespace hawser::hub
