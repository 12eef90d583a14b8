// The beginning of a download.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>

#include <hawser/base/fd.h>

#include "hub/service/download.h"
#include "hub/service/file_root.h"

namespace hawser::hub {

// Download's own memory.
struct Download::Parts {
  FileRoot& root;
  DownloadRequest request;
  UniqueFd file = {};
  struct stat status = {};  // when it was opened
  std::uint64_t size = 0;
  std::optional<FileHash> hash = std::nullopt;
  std::optional<Hasher> streamed = std::nullopt;  // there while update() may still give the hash
  std::uint64_t streamed_bytes = 0;
};

[[nodiscard]] std::unique_ptr<Download::Parts> begin(FileRoot& root, const Session& session,
                                                     const DownloadRequest& request);

}  // namespace hawser::hub
