// How a wait ends early: cancelled, by a Deadline, by close; what the C code sees, and what the fiber sees after it.
#include <poll.h>
#include <sys/select.h>
#include <time.h>

#include <cerrno>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/event.h>

#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Ends;

// Every patched call that waits, on an end to which nothing comes.
const std::vector<std::function<long(int)>> kWaits = {
    [](int fd) {
      char byte;
      return ::read(fd, &byte, 1);
    },
    [](int fd) {
      char byte;
      return ::recv(fd, &byte, 1, MSG_WAITALL);
    },
    [](int fd) {
      pollfd one{fd, POLLIN, 0};
      return long{::poll(&one, 1, 60'000)};
    },
    [](int fd) {
      fd_set read;
      FD_ZERO(&read);
      FD_SET(fd, &read);
      return long{::select(fd + 1, &read, nullptr, nullptr, nullptr)};
    },
    [](int) {
      const timespec time{.tv_sec = 60, .tv_nsec = 0};
      return long{::nanosleep(&time, nullptr)};
    },
    [](int) { return long{::usleep(900'000'000)}; },
};

TEST(patched_wait, of_a_cancelled_fiber_fails_with_ECANCELED_and_so_do_those_that_follow) {
  const Ends ends = testing::socket_ends();
  for (std::size_t i = 0; i < kWaits.size(); ++i) {
    SCOPED_TRACE(i);
    run([&] {
      bool thrown = false;
      Task<void> task = spawn([&] {
        for (int again = 0; again < 3; ++again) {
          errno = 0;
          EXPECT_EQ(kWaits[i](ends.a.get()), -1);
          EXPECT_EQ(errno, ECANCELED);
        }
        // What does not wait works on, so that a library can take its leave.
        EXPECT_EQ(::send(ends.a.get(), "bye", 3, 0), 3);
        try {
          check_cancelled();
        } catch (const Cancelled&) {
          thrown = true;
          throw;
        }
      });
      yield();
      task.kill();
      task.join();
      EXPECT_TRUE(thrown);
    });
  }
}

TEST(patched_wait, beyond_a_deadline_fails_with_ETIMEDOUT) {
  const Ends ends = testing::socket_ends();
  for (std::size_t i = 0; i < kWaits.size(); ++i) {
    SCOPED_TRACE(i);
    run([&] {
      const Deadline budget(10ms);
      EXPECT_EQ(kWaits[i](ends.a.get()), -1);
      EXPECT_EQ(errno, ETIMEDOUT);
      EXPECT_THROW(check_cancelled(), DeadlineExceeded);
    });
  }
}

TEST(patched_wait, in_a_shield_or_while_unwinding_is_not_cancelled) {
  Ends ends = testing::socket_ends();
  run([&] {
    Event cleaned;
    Task<void> task = spawn([&] {
      struct Cleanup {
        const Ends& ends;
        Event& cleaned;
        ~Cleanup() {
          char byte;
          EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
          cleaned.set();
        }
      } const cleanup{ends, cleaned};
      {
        const Shield shield;
        char byte;
        EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), 1);
      }
      check_cancelled();
    });
    yield();
    Task<void> killer = spawn([&] { task.kill(); });
    yield();
    EXPECT_EQ(::send(ends.b.get(), "xy", 2, 0), 2);
    cleaned.wait();
    killer.join();
  });
}

TEST(patched_wait, that_is_refused_lets_others_run) {
  const Ends ends = testing::socket_ends();
  run([&] {
    bool enough = false;
    Task<void> stubborn = spawn([&] {
      char byte;
      while (!enough) EXPECT_EQ(::read(ends.a.get(), &byte, 1), -1);
    });
    yield();
    Task<void> other = spawn([&] {
      for (int i = 0; i < 100; ++i) yield();
      enough = true;
    });
    stubborn.kill();
    other.join();
  });
}

TEST(patched_wait, ends_with_EBADF_when_the_descriptor_is_closed) {
  for (const int loops : {1, 2}) {
    run({.loops = loops}, [&] {
      Ends ends = testing::socket_ends();
      const int fd = ends.a.get();
      Task<void> reader = spawn([fd] {
        char byte;
        EXPECT_EQ(::read(fd, &byte, 1), -1);
        EXPECT_EQ(errno, EBADF);
      });
      Task<void> poller = spawn([fd] {
        pollfd one{fd, POLLIN, 0};
        EXPECT_EQ(::poll(&one, 1, -1), 1);
        EXPECT_EQ(one.revents, POLLNVAL);
      });
      yield();
      ends.a.reset();
      reader.get();
      poller.get();
    });
  }
}

TEST(patched_wait, ends_when_another_thread_closes_or_replaces_the_descriptor) {
  for (const bool replace : {false, true}) {
    Ends ends = testing::socket_ends();
    const int fd = ends.a.get();
    run([&] {
      std::thread closer;
      Task<void> reader = spawn([&] {
        char byte;
        EXPECT_EQ(::recv(fd, &byte, 1, 0), -1);
        EXPECT_EQ(errno, EBADF);
      });
      yield();
      closer = std::thread([&] {
        if (replace) {
          ::dup2(STDIN_FILENO, fd);
        } else {
          ends.a.reset();
        }
      });
      reader.get();
      closer.join();
    });
  }
}

TEST(patched_wait, a_number_that_is_used_again_serves_its_new_life) {
  run([&] {
    for (int round = 0; round < 300; ++round) {
      Ends ends = testing::socket_ends();
      // A copy keeps the old socket, and what was registered for it, alive under another number.
      const UniqueFd copy = duplicate(ends.a.get());
      const int fd = ends.a.get();
      Task<void> reader = spawn([fd] {
        char byte;
        EXPECT_EQ(::read(fd, &byte, 1), -1);
      });
      yield();
      ends.a.reset();
      reader.get();
      const Ends next = testing::socket_ends();
      Task<void> successor = spawn([&] {
        char byte;
        EXPECT_EQ(::read(next.a.get(), &byte, 1), 1);
        EXPECT_EQ(byte, 'n');
      });
      yield();
      EXPECT_EQ(::write(ends.b.get(), "o", 1), 1);
      EXPECT_EQ(::write(next.b.get(), "n", 1), 1);
      successor.get();
    }
  });
}

TEST(patched_wait, kills_and_bytes_race_for_many_rounds) {
  const Ends ends = testing::socket_ends();
  run([&] {
    long sent = 0, got = 0;
    for (int round = 0; round < 5000; ++round) {
      Task<void> reader = spawn([&] {
        char byte;
        if (::recv(ends.a.get(), &byte, 1, 0) == 1) ++got;
      });
      yield();
      ASSERT_EQ(::send(ends.b.get(), "x", 1, 0), 1);
      ++sent;
      if (round % 2) sleep(Duration(round % 7));
      reader.kill();
      reader.join();
      char rest[16];
      const ssize_t left = ::recv(ends.a.get(), rest, sizeof rest, MSG_DONTWAIT);
      if (left > 0) got += left;
    }
    EXPECT_EQ(got, sent);  // nothing lost, nothing twice
  });
}

TEST(patched_sleep, lasts_as_long_as_it_should) {
  run([&] {
    const auto begin = Clock::now();
    timespec time{.tv_sec = 0, .tv_nsec = 10'000'000};
    EXPECT_EQ(::nanosleep(&time, nullptr), 0);
    EXPECT_EQ(::usleep(10'000), 0);
    EXPECT_EQ(::clock_nanosleep(CLOCK_REALTIME, 0, &time, nullptr), 0);
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME}) {
      timespec until{};
      ::clock_gettime(clock, &until);
      until.tv_nsec += 10'000'000;
      if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
      }
      EXPECT_EQ(::clock_nanosleep(clock, TIMER_ABSTIME, &until, nullptr), 0);
      timespec now{};
      ::clock_gettime(clock, &now);
      EXPECT_TRUE(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
    }
    std::this_thread::sleep_for(10ms);
    EXPECT_GE(Clock::now() - begin, 60ms);
    time.tv_nsec = -1;
    EXPECT_EQ(::nanosleep(&time, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(::clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, nullptr), EINVAL);
  });
}

TEST(patched_sleep, of_many_fibers_is_one_sleep) {
  run([&] {
    const auto begin = Clock::now();
    TaskGroup group;
    for (int i = 0; i < 1000; ++i) group.spawn([] { EXPECT_EQ(::usleep(50'000), 0); });
    group.join();
    EXPECT_LT(Clock::now() - begin, 25s);  // one after another they would take 50 s
  });
}

TEST(patched_sleep, tells_what_is_left_when_it_is_cut_short) {
  run([&] {
    const Deadline budget(5ms);
    timespec left{};
    const timespec hour{.tv_sec = 3600, .tv_nsec = 0};
    EXPECT_EQ(::nanosleep(&hour, &left), -1);
    EXPECT_EQ(left.tv_sec, 3599);
    EXPECT_EQ(::sleep(3600), 3600U);
  });
}

}  // namespace
}  // namespace hawser
