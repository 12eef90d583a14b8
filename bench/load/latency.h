// How long answers took: counts in steps of 1/16 of a power of two, so a quantile is right to 6%.
#pragma once

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

inline std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

class Latency {
 public:
  void add(std::uint64_t ns) {
    ++counts_[slot(ns)];
    ++total_;
  }
  void clear() { *this = Latency(); }

  [[nodiscard]] double quantile_us(double share) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (counts_[i] && static_cast<double>(seen) >= share * static_cast<double>(total_)) return value(i) / 1000;
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 4;

  // Values below 16 have a slot each; above, the highest bit and the four that follow it name the slot.
  static std::size_t slot(std::uint64_t ns) {
    if (ns < (1U << kBits)) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - kBits;
    return (static_cast<std::size_t>(shift) << kBits) + (ns >> shift);
  }
  static double value(std::size_t slot) {
    if (slot < (2U << kBits)) return static_cast<double>(slot);
    const std::size_t shift = (slot >> kBits) - 1;
    return (static_cast<double>((slot & 15) + 16) + 0.5) * static_cast<double>(1ULL << shift);
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(64 << kBits);
  std::uint64_t total_ = 0;
};
