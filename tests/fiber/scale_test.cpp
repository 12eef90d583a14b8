// Very many fibers at once: guarded, within the mappings that a process may have by default.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/fiber/waiter.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

using namespace hawser;

namespace {

// Guards made by mprotect(2) split mappings, of which there are 65,530 at most.
bool guards_need_no_mapping() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* probe = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool can = ::madvise(probe, page, MADV_GUARD_INSTALL) == 0;
  ::munmap(probe, page);
  return can;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // each fiber has a shadow many times its size, in mappings of its own
#else
constexpr bool kSanitized = false;
#endif

std::size_t many() {
  if (kSanitized) return 1'000;
  return guards_need_no_mapping() ? 100'000 : 20'000;
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

}  // namespace

TEST(scale, very_many_fibers_wait_at_once_and_each_is_woken) {
  run([] {
    const std::size_t count = many();
    const std::size_t mapped_before = mappings();
    std::vector<Waiter*> parked;
    parked.reserve(count);
    std::vector<Task<std::size_t>> tasks;
    for (std::size_t i = 0; i < count; ++i) {
      tasks.push_back(spawn([&parked, i] {
        Waiter waiter("scale");
        parked.push_back(&waiter);
        EXPECT_EQ(waiter.park(), Wake::ready);
        return i;
      }));
    }
    while (parked.size() < count) yield();
    if (!kSanitized && guards_need_no_mapping()) {
      EXPECT_LT(mappings() - mapped_before, count / 20);
    }
    for (Waiter* waiter : parked) waiter->unpark();
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(tasks[i].get(), i);
  });
}

TEST(scale, very_many_waiting_fibers_can_be_cancelled) {
  run([] {
    const std::size_t count = many() / 2;
    std::size_t waiting = 0;
    std::size_t ended = 0;
    TaskGroup group;
    for (std::size_t i = 0; i < count; ++i) {
      group.spawn([&] {
        struct Ended {
          std::size_t& count;
          ~Ended() { ++count; }
        } on_the_way_out{ended};
        ++waiting;
        Waiter waiter("scale");
        throw_unless_ready(waiter.park(), "wait");
      });
    }
    while (waiting < count) yield();
    group.cancel();
    group.join();
    EXPECT_EQ(ended, count);
  });
}

TEST(scale, loops_deal_work_to_each_other_without_losing_any) {
  constexpr int kLoops = 4;
  run(RunOptions{.loops = kLoops}, [] {
    const std::size_t count = many() / 10;
    std::vector<Task<int>> tasks;
    for (std::size_t i = 0; i < count; ++i) {
      const int there = static_cast<int>(i % kLoops);
      tasks.push_back(spawn_on(there, [there] {
        const Task<int> further = spawn_on((there + 1) % kLoops, [] { return loop_index(); });
        yield();
        return further.get() + loop_index();
      }));
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto there = static_cast<int>(i % kLoops);
      ASSERT_EQ(tasks[i].get(), there + (there + 1) % kLoops);
    }
  });
}
