// Upload: one file on its way in, resumable across the death of hub or client at any moment.
//
// Where it lies. Data goes to root/staging/<user>/<key>, on the file system of the homes and never visible in them; key
// is a digest of path, total size and whole hash, so exactly this upload resumes and a changed source begins at 0. A
// client that gives no hash has no way to tell that its source is the same: its upload is never resumed (offset() is 0)
// and is dropped with its connection.
//
// What counts as safe. Bytes are appended in order, so the length of the staged file is what has been written. Killing
// the hub loses none of it (the pages are the kernel's, and a length never covers bytes that were not copied). After
// the machine itself went down, lengths are not trusted: each 64 MiB the data is synced and the synced length noted
// beside it, and the first start after a boot cuts every staged file back to that note. Whatever happens, commit()
// compares the hash of the whole with the client's, so garbage can cost a second transfer and never reaches a name.
//
// A file that is in place already, with the very hash that is announced, is offered as wholly there (offset() is
// total): an answer that was lost, or a tree that is sent again, costs no second transfer. commit() then sets mtime and
// mode.
//
// Two connections with the same upload: the later one takes it over where it stands, the earlier one's next call fails
// with `conflict` (its client is most likely gone and the hub has not heard of it yet). Two different uploads of one
// path are staged apart; each commit replaces the file whole.
//
// write() and commit() block: run them inside offload(). One thread at a time for one Upload; different ones side by
// side. The destructor keeps what can be resumed and drops what cannot. Functions throw ServiceError: no_space,
// quota_exceeded, too_large (more than total), hash_mismatch, conflict ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "hub/service/file_hash.h"
#include "hub/service/path.h"

namespace hawser::hub {

struct UploadRequest {
  Path path;
  std::uint64_t total = 0;
  std::uint64_t offset = 0;
  std::optional<FileHash> hash = std::nullopt;          // of the whole file
  std::optional<std::int64_t> mtime_ns = std::nullopt;  // now when absent
  std::optional<std::uint32_t> mode =
      std::nullopt;  // permission bits, 0644 when absent; set-id and sticky bits are dropped
};

class Upload {
 public:
  struct Parts;
  explicit Upload(std::unique_ptr<Parts> parts);
  Upload(Upload&&) noexcept;
  Upload& operator=(Upload&&) noexcept;
  ~Upload();

  // How much of the file is there by now.
  [[nodiscard]] std::uint64_t offset() const noexcept;
  // How much is still to come.
  [[nodiscard]] std::uint64_t left() const noexcept;

  // Takes the next bytes: hashes and writes them. Pieces of 256 KiB to 1 MiB are fastest.
  void write(std::span<const std::byte> bytes);

  // To be called when nothing is left: checks size and hash, sets mtime and mode, syncs the file, puts it under its
  // name (replacing a file that is there, atomically) and syncs the directory. When it returns the file is safe. A
  // wrong hash drops the staged data. Nothing may follow. The hash is the client's algorithm's, or xxh3-128.
  FileHash commit();

  // Drops the staged data, resumable or not.
  void discard() noexcept;

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::hub
