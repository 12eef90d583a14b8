// Parts: an array of iovecs of which the first bytes are done. Internal.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace hawser::patch {

class Parts {
 public:
  Parts(const iovec* parts, std::size_t count) noexcept : parts_(parts), count_(count) {
    for (std::size_t i = 0; i < count; ++i) left_ += parts[i].iov_len;
  }

  [[nodiscard]] std::size_t left() const noexcept { return left_; }

  // The next of them, at most `most` bytes; good until the next call.
  struct Some {
    const iovec* data;
    std::size_t count;
  };
  [[nodiscard]] Some next(std::size_t most = SIZE_MAX) noexcept {
    if (begun_ == 0 && most >= left_) return {parts_, count_};
    std::size_t used = 0;
    for (std::size_t i = 0; i < count_ && used < window_.size() && most > 0; ++i) {
      const std::size_t skip = i == 0 ? begun_ : 0;
      const std::size_t size = std::min(parts_[i].iov_len - skip, most);
      window_[used++] = {static_cast<char*>(parts_[i].iov_base) + skip, size};
      most -= size;
    }
    return {window_.data(), used};
  }

  void done(std::size_t bytes) noexcept {
    left_ -= bytes;
    begun_ += bytes;
    while (count_ > 0 && begun_ >= parts_->iov_len) {
      begun_ -= parts_->iov_len;
      ++parts_;
      --count_;
    }
  }

 private:
  const iovec* parts_;
  std::size_t count_;
  std::size_t begun_ = 0;  // of the first
  std::size_t left_ = 0;
  std::array<iovec, 16> window_;
};

}  // namespace hawser::patch
