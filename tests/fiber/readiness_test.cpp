// What an engine must get right about descriptors: nothing missed, nothing reported for ever, nothing held after it is
// closed. Run on each engine.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <memory>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

#include "fiber/pollable_pair.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRounds = 500;
#else
constexpr int kRounds = 5'000;
#endif

void write_one(Pollable& p, char c) { ASSERT_EQ(::send(p.fd(), &c, 1, MSG_NOSIGNAL), 1); }

sockaddr_in loopback(in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = port;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

TEST(readiness, a_byte_is_never_lost_between_a_deadline_and_its_arrival) {
  run({.loops = 2}, [] {
    Pair pair;
    std::atomic<int> sent{0};
    auto writer = spawn_on(1, [&] {
      for (int i = 0; i < kRounds; ++i) {
        const char c = static_cast<char>('a' + i % 26);
        while (::send(pair.b->fd(), &c, 1, MSG_NOSIGNAL) != 1) yield();  // the reader is behind
        sent = i + 1;
        if (i % 7 == 0) yield();
      }
    });
    for (int i = 0; i < kRounds;) {
      try {
        ASSERT_EQ(read_one(*pair.a, Expiry::in(std::chrono::microseconds(i % 40))), 'a' + i % 26);
        ++i;
      } catch (const TimedOut&) {
      }
    }
    writer.join();
    EXPECT_EQ(sent, kRounds);
  });
}

TEST(readiness, a_byte_is_never_lost_between_a_kill_and_its_arrival) {
  run({.loops = 2}, [] {
    Pair pair;
    for (int i = 0; i < kRounds / 5; ++i) {
      const char expected = static_cast<char>('a' + i % 26);
      auto reader = spawn([&] { return read_one(*pair.a); });
      if (i % 2) yield();
      auto writer = spawn_on(1, [&] { write_one(*pair.b, expected); });
      if (i % 3) yield();
      reader.kill();
      reader.join();
      EXPECT_EQ(reader.cancelled() ? read_one(*pair.a) : reader.get(), expected);
      writer.join();
    }
  });
}

TEST(readiness, a_peer_sees_the_end_as_soon_as_close_has_returned) {
  run({.loops = 2}, [] {
    for (int i = 0; i < kRounds / 10; ++i) {
      Pair pair;
      auto reader = spawn_on(i % 2, [&] { EXPECT_THROW(read_one(*pair.a), SocketClosed); });
      if (i % 3) yield();
      if (i % 5 == 0) {
        offload([&] { pair.a->close(); });
      } else {
        pair.a->close();
      }
      char c = 0;
      EXPECT_EQ(::recv(pair.b->fd(), &c, 1, MSG_DONTWAIT), 0) << "somebody holds it open";
      reader.join();
    }
  });
}

TEST(readiness, a_reader_and_a_writer_wait_at_once) {
  run([] {
    Pair pair;
    const std::vector<char> block(256 * 1024);
    auto writer = spawn([&] {
      Pollable::Use use(*pair.a, Direction::write, "write", kName);
      std::size_t sent = 0;
      while (sent < 4 * block.size()) {
        const ssize_t n = ::send(use.fd(), block.data(), block.size(), MSG_NOSIGNAL);
        if (n > 0) {
          sent += static_cast<std::size_t>(n);
        } else {
          EXPECT_EQ(errno, EAGAIN);
          use.drained();
          EXPECT_EQ(use.wait(Expiry::never()), Wake::ready);
        }
      }
      return sent;
    });
    auto reader = spawn([&] { return read_one(*pair.a); });
    yield();
    EXPECT_FALSE(writer.ready());
    EXPECT_FALSE(reader.ready());
    write_one(*pair.b, 'r');
    EXPECT_EQ(reader.get(), 'r');
    EXPECT_FALSE(writer.ready());
    std::vector<char> into(block.size());
    std::size_t got = 0;
    while (!writer.ready()) {
      const ssize_t n = ::recv(pair.b->fd(), into.data(), into.size(), MSG_DONTWAIT);
      if (n > 0) got += static_cast<std::size_t>(n);
      yield();
    }
    EXPECT_LE(got, writer.get());
  });
}

TEST(readiness, many_more_may_wait_than_fit_into_one_submission) {
  run([] {
    constexpr int kCount = 700;
    for (int round = 0; round < 4; ++round) {
      std::deque<Pollable> bells;
      std::vector<Task<char>> waiters;
      for (int i = 0; i < kCount; ++i) {
        const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0) break;  // as many as the limit lets us
        bells.emplace_back(UniqueFd(fd));
        waiters.push_back(spawn([&bell = bells.back()] {
          Pollable::Use use(bell, Direction::read, "read", kName);
          throw_unless_ready(use.wait(Expiry::never()), "read");
          return 'r';
        }));
      }
      yield();
      if (round == 0) {
        for (Pollable& bell : bells) {
          const std::uint64_t one = 1;
          EXPECT_EQ(::write(bell.fd(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        }
      } else if (round == 1) {
        for (auto& waiter : waiters) waiter.kill();
      } else {
        if (round == 3) sleep(1ms);
        for (Pollable& bell : bells) bell.close();
      }
      for (auto& waiter : waiters) {
        waiter.join();
        if (round == 0) {
          EXPECT_EQ(waiter.get(), 'r');
        } else if (round == 1) {
          EXPECT_TRUE(waiter.cancelled());
        } else {
          EXPECT_THROW(waiter.get(), SocketClosed);
        }
      }
    }
  });
}

// Errors in the queue that IP_RECVERR fills stay until somebody fetches them, and poll(2) goes on reporting them.
TEST(readiness, an_error_that_nobody_fetches_does_not_wake_a_reader_for_ever) {
  run([] {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    Pollable receiver{UniqueFd(fd)};
    const int on = 1;
    ASSERT_EQ(::setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    sockaddr_in address = loopback(0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const UniqueFd sender(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (int round = 0; round < 3; ++round) {
      const sockaddr_in nobody = loopback(htons(1));
      ASSERT_EQ(::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody), 1);
      int attempts = 0;
      auto reader = spawn([&] {
        Pollable::Use use(receiver, Direction::read, "recv", kName);
        char c = 0;
        for (;;) {
          ++attempts;
          if (::recv(use.fd(), &c, 1, 0) == 1) return c;
          if (errno != EAGAIN) continue;  // the pending error, told once
          use.drained();
          EXPECT_EQ(use.wait(Expiry::never()), Wake::ready);
        }
      });
      sleep(5ms);
      ASSERT_EQ(::sendto(sender.get(), "d", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address), 1);
      EXPECT_EQ(reader.get(), 'd');
      EXPECT_LT(attempts, 10);
    }
  });
}

TEST(readiness, urgent_data_wakes_a_reader) {
  run([] {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const UniqueFd sender(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(sender.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    Pollable receiver{UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
    auto reader = spawn([&] {
      Pollable::Use use(receiver, Direction::read, "recv", kName);
      char c = 0;
      while (::recv(use.fd(), &c, 1, MSG_OOB) != 1) {
        use.drained();
        EXPECT_EQ(use.wait(Expiry::never()), Wake::ready);
      }
      return c;
    });
    yield();
    ASSERT_EQ(::send(sender.get(), "u", 1, MSG_OOB), 1);
    EXPECT_EQ(reader.get(), 'u');
  });
}
