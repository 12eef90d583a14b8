#include <hawser/fiber/pollable.h>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

#include "fiber/pollable_pair.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

void write_one(Pollable& p, char c) {
  Pollable::Use use(p, Direction::write, "write", kName);
  const ssize_t sent = ::send(use.fd(), &c, 1, MSG_NOSIGNAL);
  ASSERT_TRUE(sent == 1 || errno == EPIPE);
}

}  // namespace

TEST(pollable, a_reader_waits_for_data_on_a_fiber) {
  run([] {
    Pair pair;
    auto reader = spawn([&] { return read_one(*pair.a); });
    yield();
    EXPECT_FALSE(reader.ready());
    write_one(*pair.b, 'x');
    EXPECT_EQ(reader.get(), 'x');
  });
}

TEST(pollable, a_reader_waits_for_data_on_a_thread) {
  Pair pair;
  std::atomic<char> got{0};
  std::thread reader([&] { got = read_one(*pair.a); });
  write_one(*pair.b, 'y');
  reader.join();
  EXPECT_EQ(got, 'y');
}

TEST(pollable, the_end_that_comes_with_the_last_bytes_is_not_missed) {
  run([] {
    for (int i = 0; i < 200; ++i) {
      Pair pair;
      auto reader = spawn([&] {
        std::string all;
        while (char c = read_one(*pair.a)) all += c;
        return all;
      });
      if (i % 2) yield();
      write_one(*pair.b, 'z');
      if (i % 3) yield();
      pair.b->close();
      EXPECT_EQ(reader.get(1s), "z");
    }
  });
}

TEST(pollable, close_wakes_a_reader_on_a_fiber_and_waits_for_it_to_leave) {
  run([] {
    Pair pair;
    auto reader = spawn([&] { read_one(*pair.a); });
    yield();
    pair.a->close();
    EXPECT_TRUE(reader.join(1s));
    EXPECT_THROW(reader.get(), SocketClosed);
  });
}

TEST(pollable, close_wakes_a_reader_on_a_thread_thousands_of_times) {
  for (int i = 0; i < 2'000; ++i) {
    Pair pair;
    std::atomic<bool> closed{false};
    std::thread reader([&] {
      try {
        read_one(*pair.a);
      } catch (const SocketClosed&) {
        closed = true;
      }
    });
    if (i % 2) std::this_thread::yield();
    pair.a->close();
    reader.join();
    EXPECT_TRUE(closed);
  }
}

TEST(pollable, close_from_a_thread_races_with_readers_on_fibers) {
  run({.loops = 2}, [] {
    for (int i = 0; i < 2'000; ++i) {
      Pair pair;
      auto reader = spawn_on(i % 2, [&] { read_one(*pair.a); });
      auto feeder = spawn_on((i + 1) % 2, [&] {
        if (i % 3 == 0) write_one(*pair.b, 'q');
      });
      offload([&] { pair.a->close(); });
      reader.join();
      feeder.join();
      if (reader.exception()) {
        EXPECT_THROW(reader.get(), SocketClosed);
      }
    }
  });
}

TEST(pollable, two_readers_at_once_are_an_error) {
  run([] {
    Pair pair;
    auto first = spawn([&] { read_one(*pair.a); });
    yield();
    EXPECT_THROW(read_one(*pair.a), std::logic_error);
    pair.a->close();
    first.join();
    EXPECT_TRUE(first.exception());
  });
}

TEST(pollable, a_timeout_and_a_kill_leave_the_data_for_the_next_reader) {
  run([] {
    Pair pair;
    EXPECT_THROW(read_one(*pair.a, Expiry::in(1ms)), TimedOut);
    auto killed = spawn([&] { read_one(*pair.a); });
    yield();
    killed.kill();
    write_one(*pair.b, 'k');
    killed.join();
    EXPECT_TRUE(killed.cancelled());
    EXPECT_EQ(read_one(*pair.a), 'k');
  });
}

TEST(pollable, may_outlive_the_run_it_was_used_in) {
  Pair pair;
  run([&] {
    write_one(*pair.b, '1');
    EXPECT_THROW(
        {
          read_one(*pair.a);
          read_one(*pair.a, Expiry::in(1ms));
        },
        TimedOut);
  });
  write_one(*pair.b, '2');
  EXPECT_EQ(read_one(*pair.a), '2');
  run([&] {
    write_one(*pair.b, '3');
    EXPECT_EQ(read_one(*pair.a), '3');
  });
}

TEST(pollable, an_always_ready_descriptor_starves_nobody) {
  run([] {
    Pair pair;
    bool other_ran = false;
    auto other = spawn([&] { other_ran = true; });
    for (int i = 0; i < 1'000 && !other_ran; ++i) {
      write_one(*pair.b, 'x');
      read_one(*pair.a);
    }
    EXPECT_TRUE(other_ran);
  });
}

TEST(pollable, close_waits_for_a_pin_and_refuses_the_next) {
  for (int i = 0; i < 2'000; ++i) {
    Pair pair;
    std::atomic<bool> pinned{false};
    std::thread holder([&] {
      const int fd = pair.a->pin("getsockname", kName);
      pinned = true;
      sockaddr_storage address;
      socklen_t size = sizeof address;
      EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0) << "closed under a pin";
      pair.a->unpin();
    });
    while (!pinned) std::this_thread::yield();
    pair.a->close();
    EXPECT_THROW(static_cast<void>(pair.a->pin("getsockname", kName)), SocketClosed);
    holder.join();
  }
}

TEST(pollable, a_broken_pipe_is_an_error_and_not_a_signal) {
  Pair pair;
  pair.b->close();
  Pollable::Use use(*pair.a, Direction::write, "write", kName);
  EXPECT_EQ(::write(use.fd(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST(pollable, detach_keeps_the_descriptor_open) {
  run([] {
    Pair pair;
    EXPECT_THROW(read_one(*pair.a, Expiry::in(1ms)), TimedOut);
    UniqueFd fd = pair.a->detach();
    EXPECT_TRUE(pair.a->closed());
    write_one(*pair.b, 'd');
    char c = 0;
    EXPECT_EQ(::read(fd.get(), &c, 1), 1);
    EXPECT_EQ(c, 'd');
    EXPECT_THROW(read_one(*pair.a), SocketClosed);
  });
}
