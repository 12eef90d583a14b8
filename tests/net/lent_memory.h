// A LateBuffer that tells when it was lent.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string>

#include <hawser/net/stream.h>

namespace hawser::test {

class LentMemory final : public LateBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept override { return memory_.size(); }
  [[nodiscard]] std::byte* take() noexcept override {
    if (refuses) return nullptr;
    held = true;
    return memory_.data();
  }
  void give_back() noexcept override { held = false; }

  [[nodiscard]] std::string text(std::size_t count) const {
    return {reinterpret_cast<const char*>(memory_.data()), count};
  }

  // Written by the reader, and by its loop while it waits.
  std::atomic<bool> held{false};
  bool refuses = false;

 private:
  std::array<std::byte, 16> memory_{};
};

}  // namespace hawser::test
