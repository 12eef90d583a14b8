#include <hawser/sync/detail/rendezvous.h>

#include <algorithm>
#include <functional>
#include <mutex>

namespace hawser::detail {

// Locks are taken in the order of their addresses; two offers may be in one channel.
void Rendezvous::lock_all(std::span<Offer> offers) noexcept {
  const Rendezvous* last = nullptr;
  for (;;) {
    Rendezvous* next = nullptr;
    for (const Offer& offer : offers) {
      if (last && !std::less<>()(last, offer.at)) continue;
      if (!next || std::less<>()(offer.at, next)) next = offer.at;
    }
    if (!next) return;
    next->lock_.lock();
    last = next;
  }
}

void Rendezvous::unlock_all(std::span<Offer> offers) noexcept {
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const bool again = std::any_of(offers.begin(), offers.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const Offer& earlier) { return earlier.at == offers[i].at; });
    if (!again) offers[i].at->lock_.unlock();
  }
}

bool Rendezvous::meet_now(Offer& mine) noexcept {
  if (closed_.load(std::memory_order_relaxed)) {
    mine.outcome = Offer::Outcome::closed;
    return true;
  }
  for (Offer* other = offers_.front(); other; other = other->next) {
    if (other->side == mine.side) continue;
    int open = Party::kOpen;
    if (!other->party->taken.compare_exchange_strong(open, other->number, std::memory_order_acq_rel)) continue;
    offers_.remove(*other);
    const bool sending = mine.side == Offer::Side::send;
    exchange_(sending ? mine.item : other->item, sending ? other->item : mine.item);
    mine.outcome = other->outcome = Offer::Outcome::exchanged;
    other->party->waiter.unpark();
    return true;
  }
  return false;
}

void Rendezvous::close() noexcept {
  std::lock_guard hold(lock_);
  closed_.store(true, std::memory_order_release);
  for (Offer* offer = offers_.front(); offer;) {
    Offer* const next = offer->next;  // it is gone once its party has been told
    int open = Party::kOpen;
    if (offer->party->taken.compare_exchange_strong(open, offer->number, std::memory_order_acq_rel)) {
      offers_.remove(*offer);
      offer->outcome = Offer::Outcome::closed;
      offer->party->waiter.unpark();
    }
    offer = next;
  }
}

// Also when nothing is listed any more: whoever took an offer has let go of the lock by then, so that the channel may
// be destroyed as soon as the call has returned.
void Rendezvous::leave(std::span<Offer> offers) noexcept {
  for (Offer& offer : offers) {
    std::lock_guard hold(offer.at->lock_);
    if (offer.listed) offer.at->offers_.remove(offer);
  }
}

std::optional<std::size_t> Rendezvous::meet(std::span<Offer> offers, Expiry expiry, const char* what) {
  Party party(what, offers.size() == 1 ? offers[0].at->name_ : nullptr);
  const bool poll = expiry.passed();
  lock_all(offers);
  for (std::size_t i = 0; i < offers.size(); ++i) {
    if (!offers[i].at->meet_now(offers[i])) continue;
    unlock_all(offers);
    return i;
  }
  if (poll) {
    unlock_all(offers);
    return std::nullopt;
  }
  for (std::size_t i = 0; i < offers.size(); ++i) {
    offers[i].number = static_cast<int>(i);
    offers[i].party = &party;
    offers[i].at->offers_.push_back(offers[i]);
  }
  unlock_all(offers);

  const Wake why = party.waiter.park(expiry);
  int open = Party::kOpen;
  const bool left =
      why != Wake::ready && party.taken.compare_exchange_strong(open, Party::kLeft, std::memory_order_acq_rel);
  leave(offers);
  if (!left) return static_cast<std::size_t>(party.taken.load(std::memory_order_acquire));
  if (why != Wake::expired) throw_unless_ready(why, what);
  return std::nullopt;
}

}  // namespace hawser::detail
