#include <hawser/net/file_pieces.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>

namespace hawser::detail {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

std::size_t at_most(std::size_t bytes, std::uint64_t left) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left));
}

}  // namespace

FilePieces::FilePieces(int file, std::uint64_t offset, std::uint64_t count)
    : file_(file), at_(offset), left_(count), buffer_(Bytes::uninitialised(at_most(kPiece, count))) {}

BytesView FilePieces::next() {
  const std::size_t wanted = at_most(buffer_.size(), left_);
  if (wanted == 0) return {};
  const ssize_t got = offload([&] {
    ssize_t result;
    do {
      result = sys::pread(file_, buffer_.data(), wanted, static_cast<off_t>(at_));
    } while (result < 0 && errno == EINTR);
    return result < 0 ? static_cast<ssize_t>(-errno) : result;
  });
  if (got < 0) {
    error_ = static_cast<int>(-got);
    return {};
  }
  at_ += static_cast<std::uint64_t>(got);
  left_ -= static_cast<std::uint64_t>(got);
  return BytesView(buffer_).first(static_cast<std::size_t>(got));
}

}  // namespace hawser::detail
