// ReceiveBuffer: what has come of a stream of messages and has not been used. Internal.
//
// Memory that is about to be received into is not written before, and grows as bytes come, never as a peer promises.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include <hawser/base/bytes.h>

namespace hawser::detail {

class ReceiveBuffer {
 public:
  // Room for the next receive.
  [[nodiscard]] std::span<std::byte> room() {
    constexpr std::size_t kLeast = std::size_t{32} << 10;
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < kLeast) {
      const std::size_t used = end_ - begin_;
      if (capacity_ - used >= std::max(kLeast, capacity_ / 2)) {
        std::memmove(memory_.get(), memory_.get() + begin_, used);
      } else {
        const std::size_t capacity = std::max(2 * capacity_, 2 * kLeast);
        auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (used) std::memcpy(larger.get(), memory_.get() + begin_, used);
        memory_ = std::move(larger);
        capacity_ = capacity;
      }
      begin_ = 0;
      end_ = used;
    }
    return {memory_.get() + end_, capacity_ - end_};
  }
  void received(std::size_t size) noexcept { end_ += size; }
  // What is there. Good until the next room() or use().
  [[nodiscard]] BytesView there() const noexcept {
    return std::span<const std::byte>(memory_.get() + begin_, end_ - begin_);
  }
  // The first so many are not needed any more. After a long message the memory goes as well.
  void use(std::size_t size) noexcept {
    constexpr std::size_t kKept = std::size_t{1} << 20;
    begin_ += size;
    if (begin_ == end_ && capacity_ > kKept) {
      memory_.reset();
      capacity_ = begin_ = end_ = 0;
    }
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::detail
