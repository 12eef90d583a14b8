// Rendezvous: where senders and receivers of a Channel meet, whatever it is that they hand over.
//
// A Party is one context that waits, with an Offer in each channel it waits at. Whoever comes later takes the offer
// that has waited longest, by moving the party's `taken` from kOpen to the offer's number: an offer is taken in one
// channel only, and never after the party has turned away. Offers are listed under the locks of all their channels at
// once, so that of two parties that suit each other the later one always sees the earlier.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/detail/wait_list.h>

namespace hawser::detail {

class Rendezvous;

struct Party {
  static constexpr int kOpen = -1;
  static constexpr int kLeft = -2;
  Party(const char* what, const char* name) noexcept : waiter(what, name) {}
  Waiter waiter;
  std::atomic<int> taken{kOpen};
};

struct Offer {
  enum class Side : std::uint8_t { send, receive };
  enum class Outcome : std::uint8_t { none, exchanged, closed };
  Rendezvous* at;
  Side side;
  void* item;  // the Carried<T> to send, or the std::optional<Carried<T>> to receive into
  int number = 0;
  Party* party = nullptr;
  Outcome outcome = Outcome::none;
  bool listed = false;
  Offer* next = nullptr;
  Offer* previous = nullptr;
};

class Rendezvous {
 public:
  // Moves what one offers to where the other one wants it.
  using Exchange = void (*)(void* sent, void* received) noexcept;
  // name: for dumps; null for none.
  explicit Rendezvous(Exchange exchange, const char* name = nullptr) noexcept : exchange_(exchange), name_(name) {}
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;
  ~Rendezvous() = default;

  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }

  // Waits until one of the offers has met its match or its channel is closed, and returns its index; nothing when the
  // expiry came first. Of several that could be met at once the first is. Throws DeadlineExceeded, Cancelled.
  static std::optional<std::size_t> meet(std::span<Offer> offers, Expiry expiry, const char* what);

 private:
  // With the lock held:
  bool meet_now(Offer& mine) noexcept;
  static void lock_all(std::span<Offer> offers) noexcept;
  static void unlock_all(std::span<Offer> offers) noexcept;
  static void leave(std::span<Offer> offers) noexcept;

  Exchange exchange_;
  const char* name_;
  SpinLock lock_;
  WaitList<Offer> offers_;  // longest waiting first
  std::atomic<bool> closed_{false};
};

}  // namespace hawser::detail
