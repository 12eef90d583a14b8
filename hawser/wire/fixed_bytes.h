// FixedBytes: so many bytes, by value: what a compiled format packs to and what its s unpacks to.
//
// Converts to everything that takes bytes. Nothing is allocated.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <hawser/base/bytes.h>

namespace hawser {

template <std::size_t N>
class FixedBytes {
 public:
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
  // Not set: whoever makes one writes all of them.
  std::byte bytes_[N == 0 ? 1 : N];
};

}  // namespace hawser
