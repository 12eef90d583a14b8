// Channel: hands items from one context to another without keeping any: a send waits until somebody receives.
//
//   Channel<int> numbers;
//   spawn([&] { for (int n : {1, 2, 3}) numbers.send(n); numbers.close(); });
//   for (int n : numbers) print(n);
//
// Between fibers, threads and both; first come, first served on either side; every call from anywhere. Waiting throws
// DeadlineExceeded and Cancelled, and then nothing was handed over: an item is either received or still the sender's
// failure. A timeout of zero polls, a negative one is std::invalid_argument. The Channel may be destroyed as soon as
// every call on it has returned.
//
// select() waits at several channels and does one thing at one of them:
//
//   std::optional<int> number;  std::optional<Order> order;
//   switch (select(receive_from(numbers, number), receive_from(orders, order), send_to(out, item))) { case 0: ... }
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/sync/detail/carried.h>
#include <hawser/sync/detail/rendezvous.h>

namespace hawser {

// A send to a channel that is closed, or was closed while the send waited.
class ChannelClosed : public std::runtime_error {
 public:
  ChannelClosed() : std::runtime_error("the channel is closed") {}
};

template <class T>
class Channel {
 public:
  Channel() noexcept = default;
  // The name appears in dumps of fibers; it must be a literal or outlive the channel.
  explicit Channel(const char* name) noexcept : place_(&Channel::exchange, name) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() = default;

  // Waits until somebody has received the item. Throws TimedOut, ChannelClosed.
  void send(T item, Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    detail::Carried<T> carried(std::move(item));
    if (!meet(detail::Offer::Side::send, &carried, expiry, "channel send")) throw TimedOut("channel send: timed out");
  }
  // False, and item is left as it was, when nobody is waiting for one or when it throws ChannelClosed.
  [[nodiscard]] bool try_send(T&& item) {
    static_assert(detail::kMovesSafely<T>, "an item whose move may throw could be lost on the way back");
    detail::Carried<T> carried(std::move(item));
    bool sent = false;
    try {
      sent = meet(detail::Offer::Side::send, &carried, kNow, "channel send");
    } catch (const ChannelClosed&) {
      item = std::move(carried.item());
      throw;
    }
    if (!sent) item = std::move(carried.item());
    return sent;
  }

  // Waits for an item; nothing when the channel is closed. Throws TimedOut.
  std::optional<T> receive(Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    std::optional<detail::Carried<T>> carried;
    if (!meet(detail::Offer::Side::receive, &carried, expiry, "channel receive")) {
      throw TimedOut("channel receive: timed out");
    }
    return unwrap(carried);
  }
  // Nothing when nobody is waiting to send, or when the channel is closed.
  [[nodiscard]] std::optional<T> try_receive() {
    std::optional<detail::Carried<T>> carried;
    static_cast<void>(meet(detail::Offer::Side::receive, &carried, kNow, "channel receive"));
    return unwrap(carried);
  }

  // Ends it for both sides: whoever waits to receive gets nothing, whoever waits to send ChannelClosed. May be called
  // again.
  void close() noexcept { place_.close(); }
  [[nodiscard]] bool is_closed() const noexcept { return place_.is_closed(); }

  // What is received until the channel is closed. To be gone through once by each context.
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    T& operator*() noexcept { return *item_; }
    iterator& operator++() {
      item_ = from_->receive();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return !item_; }

   private:
    friend class Channel;
    explicit iterator(Channel& from) : from_(&from), item_(from.receive()) {}
    Channel* from_;
    std::optional<T> item_;
  };
  iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  template <class U>
  friend class SendCase;
  template <class U>
  friend class ReceiveCase;

  static constexpr Expiry kNow = Expiry::at(Clock::time_point::min());

  static std::optional<T> unwrap(std::optional<detail::Carried<T>>& carried) {
    return carried ? std::optional<T>(std::move(carried->item())) : std::nullopt;
  }
  // False when the expiry came first. Throws ChannelClosed from a send.
  bool meet(detail::Offer::Side side, void* item, Expiry expiry, const char* what) {
    detail::Offer offer{.at = &place_, .side = side, .item = item};
    if (!detail::Rendezvous::meet({&offer, 1}, expiry, what)) return false;
    if (side == detail::Offer::Side::send && offer.outcome == detail::Offer::Outcome::closed) throw ChannelClosed();
    return true;
  }
  static void exchange(void* sent, void* received) noexcept {
    static_cast<std::optional<detail::Carried<T>>*>(received)->emplace(
        std::move(*static_cast<detail::Carried<T>*>(sent)));
  }

  detail::Rendezvous place_{&Channel::exchange};
};

// What select() may do; made by receive_from() and send_to().
template <class T>
class ReceiveCase {
 public:
  ReceiveCase(Channel<T>& channel, std::optional<T>& into) noexcept : channel_(channel), into_(into) {}
  detail::Offer offer() noexcept {
    return {.at = &channel_.place_, .side = detail::Offer::Side::receive, .item = &carried_};
  }
  void finish(detail::Offer::Outcome) { into_ = Channel<T>::unwrap(carried_); }
  void give_back() noexcept {}

 private:
  Channel<T>& channel_;
  std::optional<T>& into_;
  std::optional<detail::Carried<T>> carried_;
};

template <class T>
class SendCase {
  static_assert(detail::kMovesSafely<T>, "an item whose move may throw could be lost on the way back");

 public:
  SendCase(Channel<T>& channel, T& item) : channel_(channel), item_(item), carried_(std::move(item)) {}
  detail::Offer offer() noexcept {
    return {.at = &channel_.place_, .side = detail::Offer::Side::send, .item = &carried_};
  }
  void finish(detail::Offer::Outcome outcome) {
    if (outcome != detail::Offer::Outcome::closed) return;
    give_back();
    throw ChannelClosed();
  }
  void give_back() noexcept { item_ = std::move(carried_.item()); }

 private:
  Channel<T>& channel_;
  T& item_;
  detail::Carried<T> carried_;
};

// Receives into `into`, which is empty afterwards when the channel was closed.
template <class T>
[[nodiscard]] ReceiveCase<T> receive_from(Channel<T>& channel, std::optional<T>& into) {
  return {channel, into};
}
// Sends `item`, which is moved from when this case was done and otherwise left as it was.
template <class T>
[[nodiscard]] SendCase<T> send_to(Channel<T>& channel, T& item) {
  return {channel, item};
}

// Waits until one of the cases can be done, does it and returns its index; of several the first. Nothing when the
// timeout came first. A closed channel can be done: receiving gives nothing, sending throws ChannelClosed. Throws
// DeadlineExceeded, Cancelled; then, and in all other cases, nothing was handed over.
template <class... Cases>
requires(sizeof...(Cases) > 0) std::optional<std::size_t> select(Timeout timeout, Cases... cases) {
  struct GiveBack {
    std::tuple<Cases&...> cases;
    std::size_t done = sizeof...(Cases);
    ~GiveBack() {
      std::apply(
          [this](auto&... each) {
            std::size_t i = 0;
            (void(i++ == done ? void() : each.give_back()), ...);
          },
          cases);
    }
  } rest{std::tie(cases...)};
  const Expiry expiry = Expiry::of(timeout);
  std::array<detail::Offer, sizeof...(Cases)> offers{cases.offer()...};
  const std::optional<std::size_t> done = detail::Rendezvous::meet(offers, expiry, "channel select");
  if (!done) return std::nullopt;
  rest.done = *done;
  std::size_t i = 0;
  (void(i++ == *done ? cases.finish(offers[*done].outcome) : void()), ...);
  return done;
}
template <class First, class... Cases>
requires(!std::convertible_to<First, Timeout>) std::size_t select(First first, Cases... cases) {
  return *select(Timeout(), std::move(first), std::move(cases)...);
}

}  // namespace hawser
