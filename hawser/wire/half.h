// Reals of two bytes (IEEE 754-2008 binary16), which struct's letter e packs. Exact, to nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>

namespace hawser {

// The sixteen bits nearest to value; none when it is finite and beyond 65504. Every NaN becomes the quiet one.
[[nodiscard]] constexpr std::optional<std::uint16_t> half_from(double value) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 48U & 0x8000U);
  const std::uint64_t fraction = bits & 0xF'FFFF'FFFF'FFFFU;
  const int exponent = static_cast<int>(bits >> 52U & 0x7FFU) - 1023;
  if (exponent == 1024) return static_cast<std::uint16_t>(sign | (fraction != 0 ? 0x7E00U : 0x7C00U));
  if (exponent > 15) return std::nullopt;
  if (exponent < -25) return sign;
  // Below 2^-14 the leading one is a bit like the others.
  const bool normal = exponent >= -14;
  const std::uint64_t all = normal ? fraction : fraction | 1ULL << 52U;
  const auto dropped = static_cast<unsigned>(normal ? 42 : 28 - exponent);
  std::uint64_t kept = all >> dropped;
  const std::uint64_t rest = all & ((1ULL << dropped) - 1);
  const std::uint64_t middle = 1ULL << (dropped - 1);
  if (rest > middle || (rest == middle && (kept & 1U) != 0)) ++kept;
  if (normal) kept += static_cast<std::uint64_t>(exponent + 15) << 10U;
  if (kept >= 0x7C00U) return std::nullopt;
  return static_cast<std::uint16_t>(sign | kept);
}

[[nodiscard]] constexpr double half_to_double(std::uint16_t half) noexcept {
  const std::uint64_t sign = static_cast<std::uint64_t>(half & 0x8000U) << 48U;
  const std::uint64_t fraction = half & 0x3FFU;
  const unsigned exponent = half >> 10U & 0x1FU;
  if (exponent == 0) {
    const double tiny = static_cast<double>(fraction) * 0x1p-24;
    return sign != 0 ? -tiny : tiny;
  }
  const std::uint64_t wide = exponent == 31 ? 0x7FFU : exponent + 1023 - 15;
  return std::bit_cast<double>(sign | wide << 52U | fraction << 42U);
}

}  // namespace hawser
