// Staging: ciphertext on its way between OpenSSL and the stream below. Appended at the end, taken from the front;
// the memory of big ones comes from a small store of the thread, so that bulk transfers neither map nor fault pages in.
// Internal to the floor; not safe for use by two contexts at once.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace hawser::detail {

// What goes to the kernel in one call during a bulk transfer.
inline constexpr std::size_t kStagingBlock = 256 * 1024;

class Staging {
 public:
  Staging() = default;
  Staging(Staging&& other) noexcept { swap(other); }
  Staging& operator=(Staging&& other) noexcept {
    swap(other);
    return *this;
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { release(); }

  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {memory_ + begin_, size()}; }

  // Makes room for at least `more` bytes at the end. Throws std::bad_alloc.
  void reserve(std::size_t more);
  void append(std::span<const std::byte> bytes);
  // The free space at the end, to be filled from outside and then confirmed with added().
  [[nodiscard]] std::span<std::byte> room() noexcept { return {memory_ + end_, capacity_ - end_}; }
  void added(std::size_t count) noexcept { end_ += count; }

  void consume(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Gives the memory back and with it whatever was held.
  void release() noexcept;
  void swap(Staging& other) noexcept;

 private:
  std::byte* memory_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::detail
