// What a transfer must know of a local file, and its hash.
//
// All calls but the plain ones block on the disk: run them inside offload(). Throw SystemError naming the file.
#pragma once

#include <cstdint>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/base/fd.h>

#include "hub/service/file_hash.h"

namespace hawser::cli {

// Which state of a file was seen: when it differs later, the file was changed.
struct FileState {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  std::uint32_t mode = 0;  // permission bits
  friend bool operator==(const FileState&, const FileState&) = default;
};

class LocalFile {
 public:
  // Opens it for reading. Follows a link only when `follow`. Never waits for a fifo; throws Failure for what is no
  // regular file.
  LocalFile(const std::string& path, bool follow);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const FileState& state() const noexcept { return state_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // The whole content, of at most `limit` bytes. Throws Failure when there is more or less than state() says.
  [[nodiscard]] Bytes read(std::size_t limit) const;
  // Hands count bytes from offset on to hasher. Throws Failure when the file ends before.
  void hash(hub::Hasher& hasher, std::uint64_t offset, std::uint64_t count) const;
  // Throws Failure when the file was changed since it was opened.
  void check_unchanged() const;

 private:
  std::string path_;
  UniqueFd fd_;
  FileState state_;
};

}  // namespace hawser::cli
