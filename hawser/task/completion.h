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

#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/completed_range.h>
#include <hawser/fiber/completion_queue.h>
#include <hawser/task/future.h>

namespace hawser {

enum class ReturnWhen : std::uint8_t {
  first_completed,  // one has ended, in any way
  first_exception,  // one has thrown, or all have ended
  all_completed,
};

namespace detail {

template <std::derived_from<AnyFuture> Handle>
std::vector<StateRef<FutureState>> states_of(const std::vector<Handle>& futures) {
  std::vector<StateRef<FutureState>> states;
  states.reserve(futures.size());
  for (const AnyFuture& future : futures) {
    state_of(future).add_ref();
    states.emplace_back(&state_of(future));
  }
  return states;
}

// The ends of several futures as a queue of their indexes.
class FutureEnds final : public CompletionQueue {
 public:
  explicit FutureEnds(std::vector<StateRef<FutureState>> states);
  template <std::derived_from<AnyFuture> Handle>
  explicit FutureEnds(const std::vector<Handle>& futures) : FutureEnds(states_of(futures)) {}
  FutureEnds(const FutureEnds&) = delete;
  FutureEnds& operator=(const FutureEnds&) = delete;
  ~FutureEnds();

  // Until it holds, or there is nothing to wait for. False when the expiry came first.
  bool wait(Expiry expiry, ReturnWhen when);

 private:
  Wake park(Waiter& waiter, Expiry expiry) noexcept override;

  std::vector<StateRef<FutureState>> states_;
};

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
  detail::FutureEnds(all).wait(expiry, when);
  Waited<Handle> sorted;
  for (const Handle& future : all) (future.done() ? sorted.done : sorted.not_done).push_back(future);
  return sorted;
}

// What as_completed() returns: a range to go through once. Its iterator's index() is a future's place among those
// given.
template <class Handle>
using CompletedFutures = detail::CompletedRange<Handle, detail::FutureEnds>;

// The timeout is for all of them and counts from this call.
template <detail::FutureRange Futures>
[[nodiscard]] auto as_completed(const Futures& futures, Timeout timeout = std::nullopt) {
  using Handle = std::ranges::range_value_t<Futures>;
  const Expiry expiry = Expiry::of(timeout);
  return CompletedFutures<Handle>(std::vector<Handle>(std::ranges::begin(futures), std::ranges::end(futures)), expiry);
}

}  // namespace hawser
