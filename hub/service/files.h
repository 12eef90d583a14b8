// Files: every user's home under root/homes/<user>, and all that can be done in it.
//
// Nothing leaves a home: each Path is resolved by the kernel below the home's directory descriptor (openat2(2) with
// RESOLVE_BENEATH, no magic links, no other file system). Links that stay inside are followed; links that lead outside,
// absolute ones included, are `forbidden`. What acts on a name itself (remove, move, mkdir, the end of a put) resolves
// the directory and works on the name in it, so a link there is removed, moved or replaced, not followed. Fifos,
// devices and sockets are never waited for: `forbidden`.
//
// All calls block (disk): run them inside offload(). Any thread, any number at once. One Files a root at a time, across
// processes. Store and Audit outlive it, and it outlives its uploads and downloads. Throws ServiceError: not_found,
// exists, forbidden (permission, escape, special file), conflict (a file where a directory is needed, and the other way
// about; a directory that is not empty), no_space, quota_exceeded, busy, bad_request. Calls with a stop_token throw
// Cancelled soon after stop was requested.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

#include <hawser/base/fd.h>

#include "hub/service/audit.h"
#include "hub/service/disk_use.h"
#include "hub/service/download.h"
#include "hub/service/entry.h"
#include "hub/service/listing.h"
#include "hub/service/path.h"
#include "hub/service/session.h"
#include "hub/service/upload.h"
#include "hub/store/store.h"

namespace hawser::hub {

struct FileOptions {
  std::chrono::seconds keep_partial{7 * 24 * 3600};  // an upload that nobody goes on with
  std::size_t partials_per_user = 1000;              // beyond that a new upload drops the oldest that nobody has in use
  std::uint64_t sync_every_bytes = 64U << 20U;
};

class Files {
 public:
  // Makes root/homes and root/staging, and clears away what an earlier hub left behind. Throws ServiceError(busy) when
  // another hub works in this root; SystemError for what cannot be made.
  Files(const std::filesystem::path& root, Store& store, Audit& audit, FileOptions options = {});
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files();

  [[nodiscard]] Listing list(const Session& session, const Path& path, bool recursive);
  // Follows links. The entry's name is the path's last part.
  [[nodiscard]] Entry stat(const Session& session, const Path& path);
  // With parents: makes what is missing, and a directory that is there already is fine.
  void mkdir(const Session& session, const Path& path, bool parents);
  // Without recursive a directory must be empty. Links are removed, never followed.
  void remove(const Session& session, const Path& path, bool recursive, const std::stop_token& stop = {});
  // Never replaces: `exists` when `to` is there.
  void move(const Session& session, const Path& from, const Path& to);
  [[nodiscard]] FileHash sum(const Session& session, const Path& path, HashAlgorithm algorithm,
                             const std::stop_token& stop = {});
  [[nodiscard]] DiskUse du(const Session& session, const Path& path, const std::stop_token& stop = {});

  // How many bytes of exactly this upload are safe here. Refuses what begin_upload() would refuse.
  [[nodiscard]] std::uint64_t upload_offset(const Session& session, const Path& path, std::uint64_t total,
                                            const std::optional<FileHash>& hash);
  // Begins or goes on. An offset that is not 0 must be at most what upload_offset() said (`conflict`); staged bytes
  // beyond it are dropped. Reads what is staged to rebuild its hash. For a small file, call this, write() and commit()
  // in one offload().
  [[nodiscard]] Upload begin_upload(const Session& session, const UploadRequest& request,
                                    const std::stop_token& stop = {});
  [[nodiscard]] Download begin_download(const Session& session, const DownloadRequest& request);

  // A descriptor (O_PATH) of a directory in the home: for a command's working directory.
  [[nodiscard]] UniqueFd open_directory(const Session& session, const Path& path);
  // The home's place in the file system: for a command's HOME, never for opening files.
  [[nodiscard]] std::filesystem::path home_of(const Session& session);

  // Drops uploads that nobody went on with for FileOptions::keep_partial. Call it now and then.
  void clean_up();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::hub
