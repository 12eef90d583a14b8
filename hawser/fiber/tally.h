// Tally: a number that one thread changes and any thread may read. Internal. Its owner adds with a plain load and
// store, so counting costs no locked instruction; a reader sees a value that is or was true.
#pragma once

#include <atomic>
#include <cstdint>

namespace hawser::detail {

class Tally {
 public:
  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  // The owner's thread only.
  void add(std::uint64_t more) noexcept { set(get() + more); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void operator++() noexcept { set(get() + 1); }
  void operator--() noexcept { set(get() - 1); }

  // Any thread.
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const noexcept { return get(); }  // NOLINT(google-explicit-constructor): it is the number

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace hawser::detail
