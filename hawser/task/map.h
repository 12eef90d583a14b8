// map: a function applied by an executor to every element of a range, the results in the order of the elements.
//
//   for (Page page : pool.map(fetch, urls)) store(page);
//   for (int n : pool.map({.timeout = 5s, .chunk = 100}, add, lefts, rights)) total += n;
//
// It is lazy: no more than a window of elements is submitted ahead of what has been taken, so an endless range of input
// or slow use of the results needs no more memory than that; the first window is submitted by the call itself. Several
// ranges are gone through together, until the shortest ends. The ranges are read in the context that goes through the
// results; those given as lvalues must outlive that.
//
// Going through the results waits; the timeout is for all of it and counts from the call. What the function throws is
// thrown where its result would have come. After that or TimedOut, and when the results are not gone through to the
// end, what has not begun is cancelled; what runs goes on. Results are moved out as they are taken. A function without
// a result gives std::monostate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/task/future.h>

namespace hawser {

struct MapOptions {
  Timeout timeout = std::nullopt;
  // How many elements make one piece of work.
  std::size_t chunk = 1;
  // How many pieces of work are submitted ahead; 0: four for each worker.
  std::size_t window = 0;
};

namespace detail {

// What a piece of work came to: the results before the first error, and that.
template <class R>
struct MapChunk {
  MapChunk() = default;
  MapChunk(MapChunk&&) noexcept = default;
  MapChunk& operator=(MapChunk&&) noexcept = default;
  std::vector<R> results;
  std::exception_ptr error;
};

// A range that map() was given: an lvalue is referred to, anything else kept.
template <class Range>
using MapIterator = decltype(std::ranges::begin(std::declval<Range&>()));
template <class Range>
using MapElement = std::iter_value_t<MapIterator<Range>>;

template <class F, class... Args>
using MapResult = std::conditional_t<std::is_void_v<std::invoke_result_t<F&, Args...>>, std::monostate,
                                     std::decay_t<std::invoke_result_t<F&, Args...>>>;

template <class R, class F, class... Args>
MapChunk<R> map_chunk(F& function, std::vector<std::tuple<Args...>>& elements) {
  MapChunk<R> chunk;
  chunk.results.reserve(elements.size());
  try {
    for (auto& element : elements) {
      if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
        std::apply([&](Args&... args) { function(std::move(args)...); }, element);
        chunk.results.emplace_back();
      } else {
        chunk.results.push_back(std::apply([&](Args&... args) { return function(std::move(args)...); }, element));
      }
    }
  } catch (...) {
    chunk.error = std::current_exception();
  }
  return chunk;
}

// Submits one piece of work. An executor that can't take just any function has a submit_chunk() of its own.
template <class R, class E, class F, class... Args>
Future<MapChunk<R>> submit_chunk(E& executor, const F& function, std::vector<std::tuple<Args...>> elements) {
  if constexpr (requires { executor.template submit_chunk<R>(function, std::move(elements)); }) {
    return executor.template submit_chunk<R>(function, std::move(elements));
  } else {
    return executor.submit(
        [function, elements = std::move(elements)]() mutable { return map_chunk<R>(function, elements); });
  }
}

}  // namespace detail

// What map() returns: a range to go through once, by one context. The executor must outlive it.
template <class E, class F, class... Ranges>
class [[nodiscard]] Mapped {
  using Element = std::tuple<detail::MapElement<Ranges>...>;
  using Result = detail::MapResult<F, detail::MapElement<Ranges>...>;
  using Chunk = detail::MapChunk<Result>;
  class Work;

 public:
  Mapped(E& executor, const MapOptions& options, Expiry expiry, F function, Ranges&&... ranges)
      : work_(std::make_unique<Work>(executor, options, expiry, std::move(function), std::forward<Ranges>(ranges)...)) {
  }

  class iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    Result&& operator*() const noexcept { return std::move(work_->current()); }
    iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    bool operator==(std::default_sentinel_t) const noexcept { return work_ == nullptr; }

   private:
    friend class Mapped;
    explicit iterator(Work& work) : work_(&work) { step(); }
    void step() {
      if (!work_->next()) work_ = nullptr;
    }
    Work* work_;
  };

  // Waits for the first result, as ++ waits for the next. Throws what the function threw, TimedOut, and what waiting
  // and submitting throw.
  iterator begin() { return iterator(*work_); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  class Work {
   public:
    Work(E& executor, const MapOptions& options, Expiry expiry, F function, Ranges&&... ranges)
        : executor_(executor),
          expiry_(expiry),
          chunk_(options.chunk),
          window_(options.window ? options.window : 4 * executor.size()),
          function_(std::move(function)),
          ranges_(std::forward<Ranges>(ranges)...),
          at_(std::apply([](auto&... all) { return std::make_tuple(std::ranges::begin(all)...); }, ranges_)) {
      if (chunk_ == 0) throw std::invalid_argument("map: a chunk has at least one element");
      fill();
    }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    ~Work() { cancel(); }

    // The next result is current(). False when there is none.
    bool next() {
      ++taken_;
      while (taken_ >= now_.results.size()) {
        if (now_.error) std::rethrow_exception(std::exchange(now_.error, nullptr));
        if (ahead_.empty()) return false;
        try {
          wait_for_first();
        } catch (...) {
          cancel();
          throw;
        }
      }
      return true;
    }
    [[nodiscard]] Result& current() noexcept { return now_.results[taken_]; }

   private:
    void wait_for_first() {
      now_ = Chunk();
      taken_ = 0;
      const Timeout left = expiry_.left();
      Future<Chunk> first = ahead_.front();
      if (!first.wait(left)) throw TimedOut("map: timed out");
      ahead_.pop_front();
      now_ = std::move(first).result();
      if (now_.error) {
        cancel();
      } else {
        fill();
      }
    }

    void fill() {
      while (!ended_ && ahead_.size() < window_) {
        std::vector<Element> elements;
        while (elements.size() < chunk_ && !(ended_ = at_end())) {
          elements.push_back(std::apply([](auto&... at) { return Element(*at...); }, at_));
          std::apply([](auto&... at) { (void(++at), ...); }, at_);
        }
        if (!elements.empty())
          ahead_.push_back(detail::submit_chunk<Result>(executor_, function_, std::move(elements)));
      }
    }
    bool at_end() { return at_end(std::index_sequence_for<Ranges...>()); }
    template <std::size_t... I>
    bool at_end(std::index_sequence<I...>) {
      return ((std::get<I>(at_) == std::ranges::end(std::get<I>(ranges_))) || ...);
    }

    void cancel() noexcept {
      ended_ = true;
      for (const auto& future : ahead_) future.cancel();
      ahead_.clear();
    }

    E& executor_;
    const Expiry expiry_;
    const std::size_t chunk_;
    const std::size_t window_;
    F function_;
    std::tuple<Ranges...> ranges_;
    std::tuple<detail::MapIterator<Ranges>...> at_;
    bool ended_ = false;
    std::deque<Future<Chunk>> ahead_;
    Chunk now_;
    std::size_t taken_ = 0;
  };

  std::unique_ptr<Work> work_;
};

// For executors: their map().
template <class E, class F, class... Ranges>
requires(sizeof...(Ranges) > 0)
    [[nodiscard]] auto map_over(E& executor, const MapOptions& options, F function, Ranges&&... ranges) {
  const Expiry expiry = Expiry::of(options.timeout);
  return Mapped<E, F, Ranges...>(executor, options, expiry, std::move(function), std::forward<Ranges>(ranges)...);
}

}  // namespace hawser
