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

std::shared_ptr<UploadSlot> UploadSlots::take(const std::string& key) {
  auto slot = std::make_shared<UploadSlot>(*this, key);
  // Held until the earlier holder is out, so that a third one waits for us and thereby for it.
  const std::lock_guard ours(slot->mutex_);
  std::shared_ptr<UploadSlot> earlier;
  {
    const std::lock_guard hold(mutex_);
    Entry& entry = slots_[key];
    earlier = entry.owned.lock();
    entry = {slot, slot.get()};
  }
  if (earlier) {
    const std::lock_guard theirs(earlier->mutex_);
    earlier->taken_over_ = true;
  }
  return slot;
}

std::shared_ptr<UploadSlot> UploadSlots::take_unused(const std::string& key) {
  auto slot = std::make_shared<UploadSlot>(*this, key);
  const std::lock_guard hold(mutex_);
  return slots_.try_emplace(key, Entry{slot, slot.get()}).second ? slot : nullptr;
}

std::uint64_t UploadSlots::left_of(std::string_view user, std::string_view but_for) const {
  const std::lock_guard hold(mutex_);
  std::uint64_t left = 0;
  const std::string prefix = std::string(user) + '/';
  for (auto slot = slots_.lower_bound(prefix); slot != slots_.end() && slot->first.starts_with(prefix); ++slot) {
    if (slot->first != but_for) left += slot->second.slot->left;
  }
  return left;
}

void UploadSlots::forget(const UploadSlot& slot) noexcept {
  const std::lock_guard hold(mutex_);
  const auto found = slots_.find(slot.key_);
  if (found != slots_.end() && found->second.slot == &slot) slots_.erase(found);
}

}  // namespace hawser::hub
