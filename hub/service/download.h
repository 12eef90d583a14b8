// Download: one regular file on its way out.
//
// The door sends size() bytes of fd() from offset() on (sendfile(2), or reading), then calls finish(). A file that was
// changed meanwhile (size, mtime, or its hash if one is wanted) or removed is a `conflict`, and its hash is never
// given; one that was only renamed is not. When the hash of the whole is wanted it comes from memory of an earlier one,
// from the bytes the door hands to update() while it sends the whole file from its beginning, or from reading the file:
// hash_now() may do that on another thread while the bytes go out.
//
// Everything but the plain getters blocks: run it inside offload(). Only hash_now() may run beside other calls; it
// must have returned before finish() is called and before the Download goes.
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

struct DownloadRequest {
  Path path;
  std::uint64_t offset = 0;                            // beyond the end: bad_request
  std::optional<std::uint64_t> length = std::nullopt;  // cut to what there is
  std::optional<HashAlgorithm> hash = std::nullopt;    // of the whole file, wanted at the end
};

class Download {
 public:
  struct Parts;
  explicit Download(std::unique_ptr<Parts> parts);
  Download(Download&&) noexcept;
  Download& operator=(Download&&) noexcept;
  ~Download();

  [[nodiscard]] int fd() const noexcept;
  [[nodiscard]] std::uint64_t offset() const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept;   // of what is to be sent
  [[nodiscard]] std::uint64_t total() const noexcept;  // of the whole file
  [[nodiscard]] std::int64_t mtime_ns() const noexcept;
  [[nodiscard]] std::uint32_t mode() const noexcept;
  // A hash is wanted and not known yet: feed update(), or call hash_now(), or let finish() read the file.
  [[nodiscard]] bool hash_missing() const noexcept;

  // The bytes just sent. Counts only when the whole file is sent from 0 on and every byte is given; harmless otherwise.
  void update(std::span<const std::byte> sent);
  // Reads the file for its hash. Throws Cancelled when stop was requested.
  void hash_now(const std::stop_token& stop = {});
  // The hash of the whole file when one was wanted. Throws ServiceError(conflict) when the file changed, Cancelled.
  [[nodiscard]] std::optional<FileHash> finish(const std::stop_token& stop = {});

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::hub
