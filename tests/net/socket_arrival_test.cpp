// What arrives for readers that wait: the loop may take it for them before they run.
#include <netinet/tcp.h>

#include <new>
#include <string>
#include <utility>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/net/socket.h>

#include <gtest/gtest.h>

#include "both_contexts.h"
#include "lent_memory.h"
#include "tcp_streams.h"

namespace hawser {
namespace {

using testing::tcp_pair;
using namespace std::chrono_literals;

// What arrives may be taken for a waiting reader before it runs: nothing of it may get lost when the reader is killed
// at that moment.
TEST(socket_arrival, against_a_kill_loses_nothing) {
  run([] {
    for (int round = 0; round < 3000; ++round) {
      auto [a, b] = socketpair();
      auto reader = spawn([&a = a] { return a.recv(10); });
      yield();
      auto killer = spawn([&] {
        for (int steps = round % 3; steps > 0; --steps) yield();
        reader.kill();
      });
      b.send_all("kept");
      for (int steps = round / 3 % 3; steps > 0; --steps) yield();
      killer.join();
      reader.join();
      if (reader.cancelled()) {
        EXPECT_EQ(a.recv(10), "kept");
      } else {
        EXPECT_EQ(reader.get(), "kept");
      }
    }
  });
}

// Many that wait at once each get what was sent to them, also when more comes before they run.
TEST(socket_arrival, gives_each_reader_its_own) {
  run([] {
    constexpr int kPairs = 300;  // more than the loop runs in a turn
    std::vector<std::pair<Socket, Socket>> pairs;
    std::vector<Task<void>> readers;
    pairs.reserve(kPairs);
    for (int i = 0; i < kPairs; ++i) {
      auto& [a, b] = pairs.emplace_back(tcp_pair());
      readers.push_back(spawn([&end = a, i] {
        std::string all;
        while (const Bytes some = end.recv(8)) all += some.view();
        std::string wanted;
        for (int round = 0; round < 20; ++round) wanted += std::to_string(i) + "," + std::to_string(round) + ";";
        EXPECT_EQ(all, wanted);
      }));
    }
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < kPairs; ++i) {
        pairs[static_cast<std::size_t>(i)].second.send_all(std::to_string(i) + "," + std::to_string(round) + ";");
        if (i % 7 == round % 7) yield();
      }
    }
    for (auto& [a, b] : pairs) b.shutdown_write();
    for (const Task<void>& reader : readers) reader.join();
  });
}

// A read stops short at urgent data, and what was reported together with it is not reported again: neither more of that
// kind nor the end may get lost behind it.
class behind_urgent_data_in : public testing::BothContexts {
 protected:
  // What is sent meanwhile leaves together.
  static void hold(const Socket& socket, int on) {
    ASSERT_EQ(::setsockopt(socket.fileno(), IPPROTO_TCP, TCP_CORK, &on, sizeof on), 0);
  }
};

TEST_P(behind_urgent_data_in, lie_more_data_and_the_end) {
  in_context([&] {
    for (int round = 0; round < 100; ++round) {
      Listener listener({"127.0.0.1", 0});
      ConnectOptions options;
      if (round % 2) options.source = Address::ip("127.0.0.1", 0);
      Socket near = connect(listener.address(), options);
      Socket far = listener.accept();
      near.set(option::oob_inline, true);
      near.set_timeout(20s);
      auto reader = peer([&] {
        std::string all;
        while (const Bytes some = near.recv(1 + round % 20)) all += some.view();
        EXPECT_EQ(all, "[AB!CD][AB!CD]") << "round " << round;
      });
      if (round % 3) yield();
      for (int part = 0; part < 2; ++part) {
        hold(far, 1);
        far.send_all("[AB");
        far.send_urgent('!');
        far.send_all("CD]");
        if (part == 1) far.shutdown_write();
        hold(far, 0);
        if (part == 0 && round % 5 == 0) yield();
      }
      reader.get();
    }
  });
}

HAWSER_IN_BOTH_CONTEXTS(behind_urgent_data_in);

// What waits for bytes holds no memory for them.
class late_memory_in : public testing::BothContexts {};

TEST_P(late_memory_in, is_held_only_with_something_in_it) {
  in_context([&] {
    auto [near, far] = tcp_pair();
    test::LentMemory memory;
    auto sender = peer([&, &to = far] {
      sleep(20ms);  // by now the reader waits
      EXPECT_FALSE(memory.held);
      to.send_all("came late");
    });
    ASSERT_EQ(near.read_late(memory), 9U);
    EXPECT_TRUE(memory.held);
    EXPECT_EQ(memory.text(9), "came late");
    sender.get();
    far.close();
    EXPECT_EQ(near.read_late(memory), 0U);
    EXPECT_FALSE(memory.held);
  });
}

TEST_P(late_memory_in, that_is_not_to_be_had_costs_no_byte) {
  in_context([&] {
    auto [near, far] = tcp_pair();
    test::LentMemory memory;
    memory.refuses = true;
    auto sender = peer([&to = far] { to.send_all("kept"); });
    EXPECT_THROW(static_cast<void>(near.read_late(memory)), std::bad_alloc);
    sender.get();
    memory.refuses = false;
    ASSERT_EQ(near.read_late(memory), 4U);
    EXPECT_EQ(memory.text(4), "kept");
  });
}

TEST_P(late_memory_in, holds_one_datagram) {
  in_context([&] {
    auto [near, far] = socketpair(SOCK_DGRAM);
    test::LentMemory memory;
    far.send("one");
    far.send("another");
    ASSERT_EQ(near.read_late(memory), 3U);
    EXPECT_EQ(memory.text(3), "one");
    ASSERT_EQ(near.read_late(memory), 7U);
    EXPECT_EQ(memory.text(7), "another");
  });
}

HAWSER_IN_BOTH_CONTEXTS(late_memory_in);

}  // namespace
}  // namespace hawser
