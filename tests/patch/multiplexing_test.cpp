// poll, select, epoll_wait: what they tell, when they end.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <cerrno>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>

#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Ends;

// What the fiber waits for happens only once it has let others run.
void then_write(const Ends& ends, const std::function<void()>& waiting) {
  run([&] {
    TaskGroup group;
    group.spawn(waiting);
    group.spawn([&] { EXPECT_EQ(::write(ends.b.get(), "x", 1), 1); });
    group.join();
  });
}

TEST(patched_poll, waits_for_any_of_its_descriptors) {
  const Ends quiet = testing::pipe_ends();
  const Ends ends = testing::pipe_ends();
  then_write(ends, [&] {
    pollfd set[3] = {{quiet.a.get(), POLLIN, 7}, {-1, POLLIN, 7}, {ends.a.get(), POLLIN, 7}};
    EXPECT_EQ(::poll(set, 3, -1), 1);
    EXPECT_EQ(set[0].revents, 0);
    EXPECT_EQ(set[1].revents, 0);
    EXPECT_EQ(set[2].revents, POLLIN);
  });
  then_write(quiet, [&] {
    pollfd one{quiet.a.get(), POLLIN, 0};
    const timespec time{.tv_sec = 60, .tv_nsec = 0};
    EXPECT_EQ(::ppoll(&one, 1, &time, nullptr), 1);
  });
}

TEST(patched_poll, ends_when_its_time_is_over_and_not_before) {
  const Ends ends = testing::pipe_ends();
  run([&] {
    pollfd one{ends.a.get(), POLLIN, 0};
    const auto begin = Clock::now();
    EXPECT_EQ(::poll(&one, 1, 30), 0);
    EXPECT_GE(Clock::now() - begin, 30ms);
    EXPECT_EQ(::poll(&one, 1, 0), 0);
    EXPECT_EQ(::poll(nullptr, 0, 5), 0);
    const timespec bad{.tv_sec = 0, .tv_nsec = 2'000'000'000};
    EXPECT_EQ(::ppoll(&one, 1, &bad, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
  });
}

TEST(patched_poll, tells_hang_ups_errors_and_bad_numbers) {
  Ends ends = testing::pipe_ends();
  run([&] {
    pollfd bad{.fd = 1000, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&bad, 1, -1), 1);
    EXPECT_EQ(bad.revents, POLLNVAL);
    TaskGroup group;
    group.spawn([&] {
      pollfd one{ends.a.get(), 0, 0};  // nothing but what is always told
      EXPECT_EQ(::poll(&one, 1, -1), 1);
      EXPECT_EQ(one.revents, POLLHUP);
    });
    group.spawn([&] { ends.b.reset(); });
    group.join();
  });
}

TEST(patched_poll, takes_as_many_as_there_are) {
  std::vector<Ends> all;
  for (int i = 0; i < 100; ++i) all.push_back(testing::pipe_ends());
  then_write(all[70], [&] {
    std::vector<pollfd> set;
    for (const Ends& ends : all) set.push_back({ends.a.get(), POLLIN, 0});
    EXPECT_EQ(::poll(set.data(), set.size(), -1), 1);
    EXPECT_EQ(set[70].revents, POLLIN);
  });
}

TEST(patched_poll, the_same_descriptor_for_several_fibers_and_purposes) {
  const Ends ends = testing::socket_ends();
  set_nonblocking(ends.a.get(), true);
  const std::string much(100'000, 'x');
  while (::write(ends.a.get(), much.data(), much.size()) > 0) {
  }
  run([&] {
    bool readable = false;
    bool writable = false;
    TaskGroup group;
    group.spawn([&] {
      pollfd one{ends.a.get(), POLLIN, 0};
      EXPECT_EQ(::poll(&one, 1, -1), 1);
      EXPECT_EQ(one.revents, POLLIN);
      readable = true;
    });
    group.spawn([&] {
      pollfd one{ends.a.get(), POLLOUT, 0};
      EXPECT_EQ(::poll(&one, 1, -1), 1);
      writable = true;
    });
    group.spawn([&] {
      EXPECT_EQ(::write(ends.b.get(), "x", 1), 1);
      while (!readable) sleep(1ms);
      EXPECT_FALSE(writable);
      std::string sink(1'000'000, '\0');
      while (!writable) {
        ::recv(ends.b.get(), sink.data(), sink.size(), MSG_DONTWAIT);
        sleep(1ms);
      }
    });
    group.join();
  });
}

TEST(patched_poll, a_socket_of_the_library_may_be_looked_at_as_well) {
  // Registered with the loop's engine by one, polled by the other.
  const Ends ends = testing::socket_ends();
  run([&] {
    UniqueFd copy = duplicate(ends.a.get());
    pollfd one{copy.get(), POLLIN, 0};
    TaskGroup group;
    group.spawn([&] { EXPECT_EQ(::poll(&one, 1, -1), 1); });
    group.spawn([&] {
      pollfd other{ends.a.get(), POLLIN, 0};
      EXPECT_EQ(::poll(&other, 1, -1), 1);
    });
    group.spawn([&] { EXPECT_EQ(::write(ends.b.get(), "x", 1), 1); });
    group.join();
  });
}

TEST(patched_select, waits_and_tells_what_is_left) {
  const Ends quiet = testing::pipe_ends();
  const Ends ends = testing::pipe_ends();
  then_write(ends, [&] {
    fd_set read;
    FD_ZERO(&read);
    FD_SET(quiet.a.get(), &read);
    FD_SET(ends.a.get(), &read);
    timeval time{.tv_sec = 60, .tv_usec = 0};
    EXPECT_EQ(::select(std::max(quiet.a.get(), ends.a.get()) + 1, &read, nullptr, nullptr, &time), 1);
    EXPECT_FALSE(FD_ISSET(quiet.a.get(), &read));
    EXPECT_TRUE(FD_ISSET(ends.a.get(), &read));
    EXPECT_GT(time.tv_sec, 0);
    EXPECT_LT(time.tv_sec, 60);
  });
  run([&] {
    fd_set read;
    FD_ZERO(&read);
    FD_SET(quiet.a.get(), &read);
    timeval time{.tv_sec = 0, .tv_usec = 10'000};
    EXPECT_EQ(::select(quiet.a.get() + 1, &read, nullptr, nullptr, &time), 0);
    EXPECT_FALSE(FD_ISSET(quiet.a.get(), &read));
    EXPECT_EQ(time.tv_sec + time.tv_usec, 0);
    timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    EXPECT_EQ(::pselect(0, nullptr, nullptr, nullptr, &pause, nullptr), 0);
    FD_SET(ends.b.get(), &read);
    fd_set write;
    FD_ZERO(&write);
    FD_SET(ends.b.get(), &write);
    EXPECT_EQ(::select(ends.b.get() + 1, nullptr, &write, nullptr, nullptr), 1);
  });
}

TEST(patched_epoll, waits_inside_the_loops_own) {
  const Ends ends = testing::pipe_ends();
  const UniqueFd epoll(::epoll_create1(0));
  epoll_event event{.events = EPOLLIN, .data = {.u32 = 42}};
  ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ends.a.get(), &event), 0);
  const timespec minute{.tv_sec = 60, .tv_nsec = 0};
  const std::function<int(epoll_event*)> kinds[] = {
      [&](epoll_event* found) { return ::epoll_wait(epoll.get(), found, 4, -1); },
      [&](epoll_event* found) { return ::epoll_pwait(epoll.get(), found, 4, 60'000, nullptr); },
      [&](epoll_event* found) { return ::epoll_pwait2(epoll.get(), found, 4, &minute, nullptr); },
  };
  for (const auto& wait : kinds) {
    then_write(ends, [&] {
      epoll_event found[4];
      EXPECT_EQ(wait(found), 1);
      EXPECT_EQ(found[0].data.u32, 42U);
      char byte;
      EXPECT_EQ(::read(ends.a.get(), &byte, 1), 1);
    });
  }
  run([&] {
    epoll_event found[4];
    EXPECT_EQ(::epoll_wait(epoll.get(), found, 4, 10), 0);
    EXPECT_EQ(::epoll_wait(-1, found, 4, 10), -1);
    EXPECT_EQ(errno, EBADF);
  });
}

TEST(patched_epoll, nested_deeper_than_the_kernel_allows_is_looked_at_at_intervals) {
  const Ends ends = testing::pipe_ends();
  std::vector<UniqueFd> nest;
  int inner = ends.a.get();
  for (int depth = 0; depth < 4; ++depth) {
    UniqueFd outer(::epoll_create1(0));
    epoll_event event{.events = EPOLLIN, .data = {}};
    ASSERT_EQ(::epoll_ctl(outer.get(), EPOLL_CTL_ADD, inner, &event), 0);
    inner = outer.get();
    nest.push_back(std::move(outer));
  }
  then_write(ends, [&] {
    epoll_event found[4];
    EXPECT_EQ(::epoll_wait(inner, found, 4, -1), 1);
  });
}

}  // namespace
}  // namespace hawser
