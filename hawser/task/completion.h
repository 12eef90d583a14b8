// wait and as_completed: several futures, waited for together or taken as they end.
//
//   auto [done, not_done] = wait(futures, 5s, ReturnWhen::first_exception);
//   for (const Future<Page>& page : as_completed(futures, 5s)) store(page.result());
//
// They wait for the futures' ends; what the work threw stays in its future. Futures that have ended already come first,
// in the order given. Called from any fiber or thread; what as_completed() returns belongs to the context that made it.
// Waiting throws DeadlineExceeded and Cancelled. For Tasks there is an as_completed of the same shape in
// <hawser/fiber/as_completed.h>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/task/future.h>

namespace hawser {

class Waiter;

enum class ReturnWhen : std::uint8_t {
  first_completed,  // one has ended, in any way
  first_exception,  // one has thrown, or all have ended
  all_completed,
};

namespace detail {

// The ends of several futures as a queue of their indexes.
class FutureEnds {
 public:
  explicit FutureEnds(std::vector<StateRef<FutureState>> states);
  FutureEnds(const FutureEnds&) = delete;
  FutureEnds& operator=(const FutureEnds&) = delete;
  ~FutureEnds();

  // The next one that has ended; nothing when the expiry came first. Precondition: left() != 0.
  std::optional<std::size_t> next(Expiry expiry);
  // Those that next() has not given yet.
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  // Until it holds, or there is nothing to wait for. False when the expiry came first.
  bool wait(Expiry expiry, ReturnWhen when);

 private:
  struct Entry : EndListener {
    FutureEnds* owner = nullptr;
    StateRef<FutureState> state;
    Entry* after = nullptr;  // ended after this one
  };
  void has_ended(Entry& entry) noexcept;
  Entry* pop() noexcept;

  std::vector<Entry> entries_;  // never grows: their addresses are in the futures
  std::size_t left_;
  SpinLock lock_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  Waiter* waiting_ = nullptr;
};

template <class Handle>
std::vector<StateRef<FutureState>> future_states(const std::vector<Handle>& futures) {
  std::vector<StateRef<FutureState>> states;
  states.reserve(futures.size());
  for (const AnyFuture& future : futures) {
    state_of(future).add_ref();
    states.emplace_back(&state_of(future));
  }
  return states;
}

[[noreturn]] void throw_unfinished_futures(std::size_t left, std::size_t all);

}  // namespace detail

// What wait() returns: both in the order given.
template <class Handle>
struct Waited {
  std::vector<Handle> done;
  std::vector<Handle> not_done;
};

// Returns when what was asked for holds or the timeout has passed, whichever comes first.
template <detail::FutureRange Futures>
auto wait(const Futures& futures, Timeout timeout = std::nullopt, ReturnWhen when = ReturnWhen::all_completed)
    -> Waited<std::ranges::range_value_t<Futures>> {
  using Handle = std::ranges::range_value_t<Futures>;
  const Expiry expiry = Expiry::of(timeout);
  const std::vector<Handle> all(std::ranges::begin(futures), std::ranges::end(futures));
  detail::FutureEnds(detail::future_states(all)).wait(expiry, when);
  Waited<Handle> sorted;
  for (const Handle& future : all) (future.done() ? sorted.done : sorted.not_done).push_back(future);
  return sorted;
}

// What as_completed() returns: a range to go through once.
template <class Handle>
class CompletedFutures {
 public:
  CompletedFutures(std::vector<Handle> futures, Expiry expiry)
      : futures_(std::move(futures)),
        expiry_(expiry),
        ends_(std::make_unique<detail::FutureEnds>(detail::future_states(futures_))) {}

  class iterator {
   public:
    using value_type = Handle;
    using difference_type = std::ptrdiff_t;
    const Handle& operator*() const noexcept { return of_->futures_[at_]; }
    const Handle* operator->() const noexcept { return &of_->futures_[at_]; }
    iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    bool operator==(std::default_sentinel_t) const noexcept { return of_ == nullptr; }
    // Where the future is among those given.
    [[nodiscard]] std::size_t index() const noexcept { return at_; }

   private:
    friend class CompletedFutures;
    explicit iterator(CompletedFutures& of) : of_(&of) { step(); }
    void step() {
      if (of_->ends_->left() == 0) {
        of_ = nullptr;
      } else if (const auto next = of_->ends_->next(of_->expiry_)) {
        at_ = *next;
      } else {
        detail::throw_unfinished_futures(of_->ends_->left(), of_->futures_.size());
      }
    }
    CompletedFutures* of_;
    std::size_t at_ = 0;
  };

  // Waits for the first end, as ++ waits for the next. Throws TimedOut when the timeout comes before the last end.
  iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::vector<Handle> futures_;
  Expiry expiry_;
  std::unique_ptr<detail::FutureEnds> ends_;
};

// The timeout is for all of them and counts from this call.
template <detail::FutureRange Futures>
[[nodiscard]] auto as_completed(const Futures& futures, Timeout timeout = std::nullopt) {
  using Handle = std::ranges::range_value_t<Futures>;
  const Expiry expiry = Expiry::of(timeout);
  return CompletedFutures<Handle>(std::vector<Handle>(std::ranges::begin(futures), std::ranges::end(futures)), expiry);
}

}  // namespace hawser
