// when_all and when_any: one future of several.
//
//   Future<std::vector<Page>> pages = when_all(futures);
//   Future<std::tuple<User, Quota>> both = when_all(threads.submit(load_user, id), threads.submit(load_quota, id));
//   Future<std::size_t> winner = when_any(futures);               // futures[winner.result()] has ended
//
// They wait for nothing: the new future ends where the last (the first) of the others does. when_all() fails with the
// first error there is, without waiting for the rest, and with FutureCancelled when one is cancelled; a future without
// a value is std::monostate in a tuple. Values are copied, or moved where they can't be. when_any() tells which one
// ended first, in any way. Cancelling the new future leaves the others as they are.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/task/future.h>

namespace hawser {

namespace detail {

// A promise that several contexts may keep: the first one does.
template <class T>
class SharedPromise {
 public:
  explicit SharedPromise(std::size_t awaited) : left_(awaited) {}
  [[nodiscard]] Future<T> future() const { return future_; }
  // True for the last of all that were awaited.
  [[nodiscard]] bool one_less() noexcept { return left_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  template <class Keep>
  void keep(Keep&& keep) noexcept {
    if (kept_.exchange(true, std::memory_order_acq_rel)) return;
    try {
      keep(promise_);
    } catch (...) {
      promise_.set_exception(std::current_exception());
    }
  }
  // False when it has failed, and then so has the promise.
  template <class U>
  bool has_value(const Future<U>& done) noexcept {
    FutureState& state = state_of(done);
    if (state.status() == FutureState::kValue) return true;
    keep([&](Promise<T>& promise) {
      promise.set_exception(state.cancelled() ? std::make_exception_ptr(FutureCancelled()) : state.error());
    });
    static_cast<void>(state.error());  // it has been seen, also when another one was first
    return false;
  }

 private:
  Promise<T> promise_;
  Future<T> future_ = promise_.future();
  std::atomic<std::size_t> left_;
  std::atomic<bool> kept_{false};
};

template <class T>
decltype(auto) value_for_tuple(const Future<T>& done) {
  if constexpr (std::is_void_v<T>) {
    return std::monostate();
  } else if constexpr (copyable<T>()) {
    return done.result();
  } else {
    return Future<T>(done).result();
  }
}

template <class T>
using InTuple = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace detail

template <detail::FutureRange Futures>
[[nodiscard]] auto when_all(const Futures& futures) {
  using T = typename std::ranges::range_value_t<Futures>::value_type;
  using All = typename std::conditional_t<std::is_void_v<T>, std::type_identity<void>,
                                          std::type_identity<std::vector<detail::InTuple<T>>>>::type;
  auto awaited = std::make_shared<std::vector<Future<T>>>(std::ranges::begin(futures), std::ranges::end(futures));
  auto all = std::make_shared<detail::SharedPromise<All>>(awaited->size());
  const auto finish = [all, awaited](Promise<All>& promise) {
    if constexpr (std::is_void_v<T>) {
      promise.set_value();
    } else {
      All values;
      values.reserve(awaited->size());
      for (const Future<T>& future : *awaited) values.push_back(detail::value_for_tuple(future));
      promise.set_value(std::move(values));
    }
  };
  if (awaited->empty()) all->keep(finish);
  // Of the copy: the callbacks may clear the vector.
  for (const Future<T>& future : std::vector<Future<T>>(*awaited)) {
    future.on_done([all, finish](const Future<T>& done) {
      if (all->has_value(done) && all->one_less()) all->keep(finish);
    });
  }
  return all->future();
}

template <class... T>
requires(sizeof...(T) > 0)
    [[nodiscard]] Future<std::tuple<detail::InTuple<T>...>> when_all(const Future<T>&... futures) {
  using All = std::tuple<detail::InTuple<T>...>;
  auto all = std::make_shared<detail::SharedPromise<All>>(sizeof...(T));
  const auto finish = [awaited = std::make_tuple(futures...)](Promise<All>& promise) {
    std::apply([&](const auto&... done) { promise.set_value(All(detail::value_for_tuple(done)...)); }, awaited);
  };
  (futures.on_done([all, finish](const Future<T>& done) {
    if (all->has_value(done) && all->one_less()) all->keep(finish);
  }),
   ...);
  return all->future();
}

// The index of the first that has ended. Throws std::invalid_argument when there are none.
template <detail::FutureRange Futures>
[[nodiscard]] Future<std::size_t> when_any(const Futures& futures) {
  auto first = std::make_shared<detail::SharedPromise<std::size_t>>(1);
  std::size_t index = 0;
  for (const auto& future : futures) {
    future.on_done([first, index] { first->keep([&](Promise<std::size_t>& promise) { promise.set_value(index); }); });
    ++index;
  }
  if (index == 0) throw std::invalid_argument("when_any: no futures were given");
  return first->future();
}
template <class... T>
requires(sizeof...(T) > 0) [[nodiscard]] Future<std::size_t> when_any(const Future<T>&... futures) {
  auto first = std::make_shared<detail::SharedPromise<std::size_t>>(1);
  std::size_t index = 0;
  (futures.on_done(
       [first, at = index++] { first->keep([&](Promise<std::size_t>& promise) { promise.set_value(at); }); }),
   ...);
  return first->future();
}

}  // namespace hawser
