#include "hub/service/password.h"

#include <sodium.h>

#include <array>
#include <chrono>
#include <stdexcept>

#include "hub/service/error.h"
#include "hub/service/secret.h"

namespace hawser::hub {
namespace {

constexpr std::chrono::seconds kLongestWait{10};

}  // namespace

class PasswordHasher::Turn {
 public:
  explicit Turn(PasswordHasher& hasher) : hasher_(hasher) {
    if (hasher_.present_.fetch_add(1) >= hasher_.most_ || !hasher_.turns_.try_acquire_for(kLongestWait)) {
      hasher_.present_.fetch_sub(1);
      throw ServiceError(ErrorCode::busy, "too many sign-ins at the moment, try again");
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    hasher_.turns_.release();
    hasher_.present_.fetch_sub(1);
  }

 private:
  PasswordHasher& hasher_;
};

PasswordHasher::PasswordHasher(std::size_t memory_bytes, std::uint64_t passes, std::size_t at_once, std::size_t waiting)
    : memory_bytes_(memory_bytes),
      passes_(passes),
      most_(at_once + waiting),
      turns_(static_cast<std::ptrdiff_t>(at_once)) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium finds no source of randomness");
  nobody_ = hash(Secret::random_hex(16).view());
}

std::string PasswordHasher::hash(std::string_view password) {
  const Turn turn(*this);
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(), passes_, memory_bytes_) != 0) {
    throw ServiceError(ErrorCode::busy, "not enough memory to hash a password at the moment");
  }
  return text.data();
}

bool PasswordHasher::verify(const std::string& hash, std::string_view password) {
  const Turn turn(*this);
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

void PasswordHasher::verify_nothing(std::string_view password) { static_cast<void>(verify(nobody_, password)); }

bool PasswordHasher::is_outdated(const std::string& hash) const {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes_, memory_bytes_) != 0;
}

}  // namespace hawser::hub
