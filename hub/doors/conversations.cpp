#include "hub/doors/conversations.h"

#include <mutex>

#include <hawser/base/store_before_loads.h>
#include <hawser/fiber/cancellation.h>

namespace hawser::hub {

void Conversations::drain() {
  hawser::detail::store_before_loads(draining_, true);
  const std::lock_guard hold(lock_);
  for (Member* member : members_) {
    auto expected = Member::State::idle;
    if (member->state_.compare_exchange_strong(expected, Member::State::ended)) member->stream_.close();
  }
}

Conversations::Member::Member(Conversations& all, Stream& stream) : all_(all), stream_(stream) {
  const std::lock_guard hold(all_.lock_);
  place_ = all_.members_.insert(all_.members_.end(), this);
}

Conversations::Member::~Member() {
  const Shield shield;
  const std::lock_guard hold(all_.lock_);
  all_.members_.erase(place_);
}

bool Conversations::Member::wait_for_request() noexcept {
  hawser::detail::store_before_loads(state_, State::idle);
  return !all_.draining_.load(std::memory_order_seq_cst);
}

bool Conversations::Member::begin_request() noexcept {
  auto expected = State::idle;
  return state_.compare_exchange_strong(expected, State::busy);
}

}  // namespace hawser::hub
