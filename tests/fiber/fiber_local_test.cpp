#include <hawser/fiber/fiber_local.h>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

// Counts those that live.
struct Counted {
  static inline std::atomic<int> alive = 0;
  Counted() { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { --alive; }
};

}  // namespace

TEST(fiber_local, every_fiber_has_its_own) {
  FiberLocal<int> number;
  run({.loops = 2}, [&] {
    *number = 7;
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 50; ++i) {
      tasks.push_back(spawn_on(i % 2, [&, i] {
        EXPECT_FALSE(number.has_value());
        EXPECT_EQ(*number, 0);
        *number = i;
        for (int n = 0; n < 5; ++n) {
          yield();
          EXPECT_EQ(*number, i);
        }
      }));
    }
    join_all(tasks);
    EXPECT_EQ(*number, 7);
  });
  EXPECT_EQ(*number, 0) << "the thread's own, not that of the fibers that ran on it";
}

TEST(fiber_local, every_thread_has_its_own_outside_fibers) {
  FiberLocal<std::string> name([] { return std::string("nobody"); });
  *name = "main";
  std::thread([&] {
    EXPECT_EQ(*name, "nobody");
    name->append("!");
    run([&] { EXPECT_EQ(*name, "nobody"); });
    EXPECT_EQ(*name, "nobody!");
  }).join();
  EXPECT_EQ(*name, "main");
}

TEST(fiber_local, is_destroyed_at_the_end_of_the_fiber_before_its_joiners_are_woken) {
  FiberLocal<Counted> counted;
  run([&] {
    spawn([&] {
      static_cast<void>(counted.get());
      EXPECT_EQ(Counted::alive, 1);
    }).get();
    EXPECT_EQ(Counted::alive, 0);
    auto killed = spawn([&] {
      static_cast<void>(counted.get());
      sleep(1h);
    });
    yield();
    EXPECT_EQ(Counted::alive, 1);
    killed.kill_and_join();
    EXPECT_EQ(Counted::alive, 0);
  });
  std::thread([&] { static_cast<void>(counted.get()); }).join();
  EXPECT_EQ(Counted::alive, 0);
}

TEST(fiber_local, the_next_fiber_on_the_same_stack_starts_afresh) {
  FiberLocal<int> number;
  run([&] {
    for (int i = 0; i < 3; ++i) {
      spawn([&] { EXPECT_EQ(++*number, 1); }).get();
    }
  });
}

TEST(fiber_local, a_value_that_outlives_its_local_goes_with_its_context) {
  std::optional<FiberLocal<Counted>> counted(std::in_place);
  run([&] {
    auto task = spawn([&] {
      static_cast<void>(counted->get());
      counted.reset();
      EXPECT_LE(Counted::alive, 1);
      FiberLocal<std::string> another;  // may have the same slot; never the value
      EXPECT_FALSE(another.has_value());
      EXPECT_EQ(*another, "");
    });
    task.get();
    EXPECT_EQ(Counted::alive, 0);
  });
}

TEST(fiber_local, many_that_come_and_go_take_no_more_room_than_those_that_live) {
  run([] {
    for (int i = 0; i < 1000; ++i) {
      FiberLocal<Counted> counted;
      static_cast<void>(counted.get());
      EXPECT_LE(Counted::alive, 1);
    }
  });
  EXPECT_EQ(Counted::alive, 0);
}

TEST(fiber_local, its_destructor_may_wait_and_use_others) {
  FiberLocal<int> number;
  std::string seen;
  struct Waits {
    FiberLocal<int>* number = nullptr;
    std::string* seen = nullptr;
    ~Waits() {
      if (!seen) return;
      sleep(1ms);
      *seen += std::to_string(number->get());
    }
  };
  FiberLocal<Waits> waits;
  run([&] {
    auto task = spawn([&] {
      *number = 5;
      waits->number = &number;
      waits->seen = &seen;
      sleep(1h);
    });
    yield();
    task.kill_and_join();
    EXPECT_TRUE(task.cancelled());
  });
  EXPECT_EQ(seen, "5");
}

TEST(fiber_local, reset_lets_it_begin_anew) {
  FiberLocal<Counted> counted;
  counted.reset();
  static_cast<void>(counted.get());
  EXPECT_TRUE(counted.has_value());
  counted.reset();
  EXPECT_FALSE(counted.has_value());
  EXPECT_EQ(Counted::alive, 0);
}

TEST(fiber_local, a_maker_that_throws_leaves_nothing) {
  bool ready = false;
  FiberLocal<int> number([&] {
    if (!ready) throw std::range_error("not yet");
    return 3;
  });
  EXPECT_THROW(static_cast<void>(number.get()), std::range_error);
  EXPECT_FALSE(number.has_value());
  ready = true;
  EXPECT_EQ(*number, 3);
}

TEST(fiber_local, what_a_callback_uses_goes_as_well) {
  FiberLocal<Counted> counted;
  run([&] {
    auto task = spawn([] {});
    task.link([&] { static_cast<void>(counted.get()); });
    task.join();
    yield();
    EXPECT_EQ(Counted::alive, 0);
  });
}

TEST(fiber_local, offload_sees_the_pool_threads_own) {
  FiberLocal<int> number;
  run([&] {
    *number = 7;
    EXPECT_EQ(offload([&] { return number.has_value() ? *number : -1; }), -1);
  });
}
