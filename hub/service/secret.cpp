#include "hub/service/secret.h"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace hawser::hub {

Secret::Secret(std::size_t size) : text_(std::make_unique<char[]>(size)), size_(size) {}

Secret::Secret(std::string_view text) : Secret(text.size()) { std::ranges::copy(text, text_.get()); }

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { wipe(); }

Secret Secret::random_hex(std::size_t bytes) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium finds no source of randomness");
  std::vector<unsigned char> raw(bytes);
  randombytes_buf(raw.data(), raw.size());
  Secret with_nul(bytes * 2 + 1);
  sodium_bin2hex(with_nul.text_.get(), with_nul.size_, raw.data(), raw.size());
  sodium_memzero(raw.data(), raw.size());
  return Secret(with_nul.view().substr(0, bytes * 2));
}

void Secret::wipe() noexcept {
  if (text_) sodium_memzero(text_.get(), size_);
  text_.reset();
  size_ = 0;
}

void wipe(std::string& text) noexcept {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace hawser::hub
