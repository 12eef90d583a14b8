#include "hub/service/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

#include "hub/service/error.h"
#include "hub/service/secret.h"

namespace hawser::hub {
namespace {

constexpr std::chrono::seconds kLongestWait{10};

[[noreturn]] void refuse() { throw ServiceError(ErrorCode::busy, "too many sign-ins at the moment, try again"); }

}  // namespace

class PasswordHasher::Turn {
 public:
  Turn(PasswordHasher& hasher, const HashClaimant& claimant) : hasher_(hasher), place_{.claimant = claimant} {
    std::unique_lock hold(hasher_.mutex_);
    hasher_.make_room(place_);
    hasher_.places_.push_back(&place_);
    hasher_.next_turns();
    place_.changed.wait_for(hold, kLongestWait, [this] { return place_.at_work || place_.given_up; });
    if (place_.at_work) return;
    leave();
    refuse();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    const std::lock_guard hold(hasher_.mutex_);
    leave();
    hasher_.next_turns();
  }

 private:
  void leave() noexcept { hasher_.places_.remove(&place_); }
  PasswordHasher& hasher_;
  Place place_;
};

PasswordHasher::PasswordHasher(std::size_t memory_bytes, std::uint64_t passes, std::size_t at_once, std::size_t waiting)
    : memory_bytes_(memory_bytes), passes_(passes), at_once_(at_once), most_(at_once + waiting) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium finds no source of randomness");
  nobody_ = hash(Secret::random_hex(16).view());
}

PasswordHasher::Share PasswordHasher::share_of(const Place& place, bool at_work_only) const {
  Share share{0, 0};
  for (const Place* other : places_) {
    if (other->claimant.address != place.claimant.address || (at_work_only && !other->at_work)) continue;
    ++share.first;
    if (other->claimant.user == place.claimant.user) ++share.second;
  }
  return share;
}

void PasswordHasher::make_room(const Place& newcomer) {
  if (places_.size() < most_) return;
  // With the newcomer counted in, so that equals do not push each other out.
  const auto share_with_newcomer = [&](const Place& place) {
    Share share = share_of(place, false);
    if (place.claimant.address == newcomer.claimant.address) {
      ++share.first;
      if (place.claimant.user == newcomer.claimant.user) ++share.second;
    }
    return share;
  };
  Share most = share_with_newcomer(newcomer);
  auto gives_way = places_.end();
  for (auto place = places_.begin(); place != places_.end(); ++place) {
    if ((*place)->at_work) continue;
    const Share share = share_with_newcomer(**place);
    // Of equals the newest, but never instead of the newcomer.
    if (share > most || (share == most && gives_way != places_.end())) {
      most = share;
      gives_way = place;
    }
  }
  if (gives_way == places_.end()) refuse();
  (*gives_way)->given_up = true;
  (*gives_way)->changed.notify_one();
  places_.erase(gives_way);
}

void PasswordHasher::next_turns() {
  auto at_work = static_cast<std::size_t>(std::ranges::count_if(places_, &Place::at_work));
  for (; at_work < at_once_; ++at_work) {
    Place* next = nullptr;
    Share fewest;
    for (Place* place : places_) {
      if (place->at_work) continue;
      const Share share = share_of(*place, true);
      if (next == nullptr || share < fewest) {
        next = place;
        fewest = share;
      }
    }
    if (next == nullptr) return;
    next->at_work = true;
    next->changed.notify_one();
  }
}

std::string PasswordHasher::hash(std::string_view password, const HashClaimant& claimant) {
  const Turn turn(*this, claimant);
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(), passes_, memory_bytes_) != 0) {
    throw ServiceError(ErrorCode::busy, "not enough memory to hash a password at the moment");
  }
  return text.data();
}

bool PasswordHasher::verify(const std::string& hash, std::string_view password, const HashClaimant& claimant) {
  const Turn turn(*this, claimant);
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

void PasswordHasher::verify_nothing(std::string_view password, const HashClaimant& claimant) {
  static_cast<void>(verify(nobody_, password, claimant));
}

bool PasswordHasher::is_outdated(const std::string& hash) const {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes_, memory_bytes_) != 0;
}

}  // namespace hawser::hub
