// FixedBytes: so many bytes, by value: what a compiled format packs to and what its s unpacks to.
//
// Converts to everything that takes bytes. Nothing is allocated.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <hawser/base/bytes.h>

namespace hawser {

namespace detail {

// memcpy in pieces that are registers' sizes: GCC sees through those, and drops a copy that is only passed on, where it
// keeps one of three bytes that nobody reads.
template <std::size_t N>
constexpr void copy_in_pieces(std::byte* to, const std::byte* from) noexcept {
  constexpr std::size_t kPiece = N >= 8 ? 8 : N >= 4 ? 4 : N >= 2 ? 2 : 1;
  if constexpr (N > 64) {
    __builtin_memcpy(to, from, N);
  } else if constexpr (N > 0) {
    __builtin_memcpy(to, from, kPiece);
    copy_in_pieces<N - kPiece>(to + kPiece, from + kPiece);
  }
}

}  // namespace detail

template <std::size_t N>
class FixedBytes {
 public:
  // The bytes are not set: whoever makes one writes all of them.
  constexpr FixedBytes() noexcept {}  // NOLINT(cppcoreguidelines-pro-type-member-init)
  explicit FixedBytes(std::span<const std::byte, N> bytes) noexcept { detail::copy_in_pieces<N>(bytes_, bytes.data()); }
  // Written out, so that calls hand it over in memory: in registers it would be put together from its parts, and the
  // processor waits ten nanoseconds for stores of one size that are loaded in another.
  constexpr FixedBytes(const FixedBytes& other) noexcept { *this = other; }
  constexpr FixedBytes& operator=(const FixedBytes& other) noexcept {
    if (std::is_constant_evaluated()) {
      for (std::size_t i = 0; i < N; ++i) bytes_[i] = other.bytes_[i];
    } else {
      detail::copy_in_pieces<N>(bytes_, other.bytes_);
    }
    return *this;
  }
  ~FixedBytes() = default;

  static constexpr std::size_t size() noexcept { return N; }
  [[nodiscard]] constexpr const std::byte* data() const noexcept { return bytes_; }
  [[nodiscard]] constexpr std::byte* data() noexcept { return bytes_; }
  [[nodiscard]] constexpr const std::byte* begin() const noexcept { return bytes_; }
  [[nodiscard]] constexpr const std::byte* end() const noexcept { return bytes_ + N; }
  [[nodiscard]] constexpr std::byte operator[](std::size_t at) const noexcept { return bytes_[at]; }

  [[nodiscard]] std::span<const std::byte> span() const noexcept { return {bytes_, N}; }
  [[nodiscard]] std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes_), N}; }
  [[nodiscard]] std::string str() const { return std::string(view()); }
  operator BytesView() const noexcept { return {span()}; }  // NOLINT(google-explicit-constructor): bytes everywhere

  friend constexpr bool operator==(const FixedBytes& a, const FixedBytes& b) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      if (a.bytes_[i] != b.bytes_[i]) return false;
    }
    return true;
  }
  friend bool operator==(const FixedBytes& a, std::string_view b) noexcept { return a.view() == b; }

 private:
  std::byte bytes_[N == 0 ? 1 : N];
};

}  // namespace hawser
