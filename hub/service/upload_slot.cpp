#include "hub/service/upload_slot.h"

#include <utility>

#include "hub/service/error.h"

namespace hawser::hub {

UploadSlot::~UploadSlot() { slots_.forget(*this); }

std::unique_lock<std::mutex> UploadSlot::use() {
  std::unique_lock hold(mutex_);
  if (taken_over_) throw ServiceError(ErrorCode::conflict, "another connection went on with this upload");
  return hold;
}

std::unique_lock<std::mutex> UploadSlot::try_use() noexcept {
  std::unique_lock hold(mutex_);
  if (taken_over_) hold.unlock();
  return hold;
}

std::shared_ptr<UploadSlot> UploadClaim::take() && {
  if (earlier_) {
    const std::lock_guard theirs(earlier_->mutex_);
    earlier_->taken_over_ = true;
  }
  hold_.unlock();
  return std::move(slot_);
}

UploadClaim UploadSlots::claim(const std::string& key, std::uint64_t reserved) {
  UploadClaim claim;
  claim.slot_ = std::make_shared<UploadSlot>(*this, key);
  claim.slot_->reserved = reserved;
  // Nobody else knows it yet. Tried, not waited for, so that the thread sanitizer sees no order between this one and
  // what the caller holds.
  claim.hold_ = std::unique_lock(claim.slot_->mutex_, std::try_to_lock);
  const std::lock_guard hold(mutex_);
  Entry& entry = slots_[key];
  claim.earlier_ = entry.owned.lock();
  entry = {claim.slot_, claim.slot_.get()};
  return claim;
}

std::shared_ptr<UploadSlot> UploadSlots::take_unused(const std::string& key) {
  auto slot = std::make_shared<UploadSlot>(*this, key);
  const std::lock_guard hold(mutex_);
  return slots_.try_emplace(key, Entry{slot, slot.get()}).second ? slot : nullptr;
}

std::map<std::string, std::uint64_t, std::less<>> UploadSlots::reserved_by(std::string_view user) const {
  const std::lock_guard hold(mutex_);
  std::map<std::string, std::uint64_t, std::less<>> reserved;
  const std::string prefix = std::string(user) + '/';
  for (auto slot = slots_.lower_bound(prefix); slot != slots_.end() && slot->first.starts_with(prefix); ++slot) {
    reserved.emplace(slot->first.substr(prefix.size()), slot->second.slot->reserved);
  }
  return reserved;
}

void UploadSlots::forget(const UploadSlot& slot) noexcept {
  const std::lock_guard hold(mutex_);
  const auto found = slots_.find(slot.key_);
  if (found != slots_.end() && found->second.slot == &slot) slots_.erase(found);
}

}  // namespace hawser::hub
