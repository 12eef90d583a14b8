#include <hawser/task/map.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/sync/event.h>
#include <hawser/task/thread_pool.h>

#include "stress/rounds.h"
#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// An executor that does chunks at once.
struct Here {
  static constexpr std::size_t size() { return 1; }
  template <class R>
  Future<detail::MapChunk<R>> submit_chunk(int (*function)(int), std::vector<std::tuple<int>> elements) {
    Promise<detail::MapChunk<R>> promise;
    auto future = promise.future();
    promise.set_value(detail::map_chunk<R>(function, elements));
    chunks += 1;
    return future;
  }
  int chunks = 0;
};

}  // namespace

class MapEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(MapEverywhere);

TEST_P(MapEverywhere, results_come_in_the_order_of_the_input) {
  run_in(GetParam(), [] {
    for (const std::size_t chunk : {1, 3, 1000}) {
      ThreadPool pool(3);
      int expected = 0;
      for (const int n : pool.map(
               {.chunk = chunk}, [](int x) { return x * 2; }, numbers(rounds(500)))) {
        EXPECT_EQ(n, 2 * expected);
        ++expected;
      }
      EXPECT_EQ(expected, rounds(500));
    }
  });
}

TEST_P(MapEverywhere, leaving_early_cancels_the_rest) {
  run_in(GetParam(), [] {
    ThreadPool pool(2);
    for (int round = 0; round < rounds(300); ++round) {
      const auto ran = std::make_shared<std::atomic<int>>(0);
      for (const int n : pool.map([ran](int x) { return ++*ran, x; }, std::views::iota(0)))
        if (n == round % 10) break;
      pool.submit([] {}).result();
      EXPECT_LE(*ran, round % 10 + 1 + 4 * 2);
    }
  });
}

TEST(map, an_endless_range_is_submitted_in_a_bounded_window) {
  ThreadPool pool(2);
  int read = 0;
  auto endless = std::views::iota(0) | std::views::transform([&](int n) { return read = n; });
  int taken = 0;
  for (const int n : pool.map(
           {.window = 5}, [](int x) { return x; }, endless)) {
    EXPECT_EQ(n, taken++);
    EXPECT_LE(read, taken + 5);
    if (taken == 100) break;
  }
}

TEST(map, the_first_window_is_submitted_by_the_call) {
  ThreadPool pool(1);
  std::atomic<int> ran = 0;
  const auto mapped = pool.map(
      {.window = 3}, [&](int) { return ++ran; }, numbers(10));
  pool.submit([] {}).result();
  EXPECT_EQ(ran, 3);
}

TEST(map, several_ranges_end_with_the_shortest) {
  ThreadPool pool(2);
  const std::vector<std::string> words{"a", "b", "c"};
  std::vector<std::string> got;
  for (std::string text :
       pool.map([](const std::string&word, int n) { return word + std::to_string(n); }, words, numbers(2)))
    got.push_back(std::move(text));
  EXPECT_EQ(got, (std::vector<std::string>{"a0", "b1"}));
}

TEST(map, an_error_comes_in_its_place_and_cancels_the_rest) {
  for (const std::size_t chunk : {1, 4}) {
    ThreadPool pool(1);
    std::atomic<int> ran = 0;
    int sum = 0;
    EXPECT_THROW(
        {
          for (const int n : pool.map(
                   {.chunk = chunk, .window = 2},
                   [&](int x) {
                     ++ran;
                     if (x == 6) throw std::domain_error("six");
                     return x;
                   },
                   numbers(100)))
            sum += n;
        },
        std::domain_error);
    EXPECT_EQ(sum, 15);
    pool.shutdown();
    EXPECT_LE(ran, 7 + 2 * static_cast<int>(chunk));
  }
}

TEST(map, the_timeout_counts_from_the_call_and_cancels_the_rest) {
  ThreadPool pool(1);
  Event release;
  auto mapped = pool.map(
      {.timeout = 1ms},
      [&](int x) {
        release.wait();
        return x;
      },
      numbers(3));
  EXPECT_THROW(mapped.begin(), TimedOut);
  release.set();
  EXPECT_EQ(mapped.begin(), mapped.end());
}

TEST(map, what_is_ready_is_given_after_the_timeout_too) {
  ThreadPool pool(1);
  auto mapped = pool.map(
      {.timeout = 0s}, [](int x) { return x; }, numbers(1));
  pool.submit([] {}).result();
  EXPECT_EQ(*mapped.begin(), 0);
}

TEST(map, a_negative_timeout_and_an_empty_chunk_are_refused) {
  ThreadPool pool(1);
  const auto same = [](int x) { return x; };
  EXPECT_THROW(static_cast<void>(pool.map({.timeout = -1s}, same, numbers(1))), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(pool.map({.chunk = 0}, same, numbers(1))), std::invalid_argument);
}

TEST(map, nothing_gives_nothing) {
  ThreadPool pool(1);
  for ([[maybe_unused]] const int n : pool.map([](int x) { return x; }, std::vector<int>())) FAIL();
}

TEST(map, functions_without_a_result_are_counted) {
  ThreadPool pool(2);
  std::atomic<int> sum = 0;
  int count = 0;
  for ([[maybe_unused]] auto nothing : pool.map([&](int x) { sum += x; }, numbers(10))) ++count;
  EXPECT_EQ(count, 10);
  EXPECT_EQ(sum, 45);
}

TEST(map, what_cannot_be_copied_is_moved_in_and_out) {
  ThreadPool pool(2);
  auto made = pool.map([](int x) { return std::make_unique<int>(x); }, numbers(4));
  int sum = 0;
  for (std::unique_ptr<int> owned : made) sum += *owned;
  EXPECT_EQ(sum, 6);
}

TEST(map, after_shutdown_is_an_error) {
  ThreadPool pool(1);
  pool.shutdown();
  EXPECT_THROW(static_cast<void>(pool.map([](int x) { return x; }, numbers(2))), ExecutorShutDown);
}

TEST(map, an_executor_may_take_chunks_in_its_own_way) {
  Here here;
  int sum = 0;
  for (const int n : map_over(
           here, MapOptions{.chunk = 2}, +[](int x) { return x + 1; }, numbers(5)))
    sum += n;
  EXPECT_EQ(sum, 15);
  EXPECT_EQ(here.chunks, 3);
}

TEST(map, a_worker_may_map_over_its_own_pool) {
  ThreadPool pool(1);
  const auto sum = pool.submit([&] {
    int total = 0;
    for (const int n : pool.map([](int x) { return x; }, numbers(20))) total += n;
    return total;
  });
  EXPECT_EQ(sum.result(), 190);
}
