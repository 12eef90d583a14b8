// Secret: text that must not outlive its use (a token, an invite, a password). Its memory is wiped when it goes, and it
// never prints itself. Move-only, so that copies are not left behind unseen.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hawser::hub {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // bytes random bytes as lower-case hex.
  static Secret random_hex(std::size_t bytes);

  [[nodiscard]] std::string_view view() const noexcept { return {text_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  explicit Secret(std::size_t size);
  void wipe() noexcept;
  std::unique_ptr<char[]> text_;
  std::size_t size_ = 0;
};

// Overwrites text in place, then empties it: for passwords that came in as a std::string.
void wipe(std::string& text) noexcept;

}  // namespace hawser::hub
