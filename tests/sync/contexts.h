// Contexts: starts bodies as fibers of this loop, fibers of other loops, plain threads, or a mix, so that one test
// holds for all of them.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/event.h>

namespace hawser::testing {

enum class Place { fibers, threads, loops, mixed };

inline std::string place_name(const ::testing::TestParamInfo<Place>& info) {
  static const char* const names[] = {"fibers", "threads", "loops", "mixed"};
  return names[static_cast<int>(info.param)];
}

class Contexts {
 public:
  explicit Contexts(Place place) : place_(place) {}
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() { join(); }

  // Starts a body; with `mixed` every second one is a thread.
  void start(std::function<void()> body) {
    const bool thread = place_ == Place::threads || (place_ == Place::mixed && count_ % 2 == 0);
    if (thread) {
      threads_.emplace_back(std::move(body));
    } else if (place_ == Place::fibers) {
      fibers_.push_back(spawn(std::move(body)));
    } else {
      fibers_.push_back(spawn_on(static_cast<int>(count_) % loop_count(), std::move(body)));
    }
    ++count_;
  }

  // Waits for all. A body's exception fails the test.
  void join() {
    for (auto& fiber : std::exchange(fibers_, {})) EXPECT_NO_THROW(fiber.get());
    auto threads = std::exchange(threads_, {});
    if (threads.empty()) return;
    // A fiber must not block its loop on a thread that may need the loop.
    Event ended;
    std::thread joiner([&] {
      for (auto& thread : threads) thread.join();
      ended.set();
    });
    ended.wait();
    joiner.join();
  }

 private:
  Place place_;
  std::size_t count_ = 0;
  std::vector<Task<void>> fibers_;
  std::vector<std::thread> threads_;
};

// Calls body where `place` says: the tests with threads only run outside any loop.
inline void run_in(Place place, const std::function<void()>& body) {
  if (place == Place::threads) return body();
  run(RunOptions{.loops = place == Place::fibers ? 1 : 2}, [&] { body(); });
}

// A test body that runs once in each place.
class Everywhere : public ::testing::TestWithParam<Place> {};

#define HAWSER_EVERYWHERE(suite)                                                                                    \
  INSTANTIATE_TEST_SUITE_P(in, suite, ::testing::Values(Place::fibers, Place::threads, Place::loops, Place::mixed), \
                           place_name)

// Gives up the turn until a condition holds that another context is about to make true.
template <class Condition>
void yield_until(Condition&& condition) {
  while (!condition()) yield();
}

}  // namespace hawser::testing
