// FilePieces: a stretch of a file, piece by piece, read on offload threads. Internal.
#pragma once

#include <cstdint>

#include <hawser/base/bytes.h>

namespace hawser::detail {

class FilePieces {
 public:
  FilePieces(int file, std::uint64_t offset, std::uint64_t count);
  // The next piece, good until the one after it; empty at the end of the file or of the stretch, or with an error().
  // Throws what offload() throws.
  [[nodiscard]] BytesView next();
  // Why reading failed, as errno has it; 0 when it did not.
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  const int file_;
  std::uint64_t at_;
  std::uint64_t left_;
  int error_ = 0;
  Bytes buffer_;
};

}  // namespace hawser::detail
