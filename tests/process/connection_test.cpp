#include <hawser/process/connection.h>

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/process.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ConnectionInBoth : public InBoth {};
HAWSER_IN_BOTH(ConnectionInBoth);

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kKillRounds = 20;
#else
constexpr int kKillRounds = 200;
#endif

using Words = std::map<std::string, std::vector<int>>;

void answer_twice(Connection peer) {
  while (auto number = peer.receive<int>()) peer.send(*number * 2);
}

}  // namespace

TEST_P(ConnectionInBoth, values_go_both_ways_between_processes) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    Process child(&answer_twice, std::move(theirs));
    child.start();
    for (int i = 0; i < 100; ++i) {
      ours.send(i);
      EXPECT_EQ(ours.receive<int>(), 2 * i);
    }
    ours.close();
    EXPECT_TRUE(child.join());
    EXPECT_EQ(child.exit_code(), 0);
  });
}

TEST_P(ConnectionInBoth, the_end_comes_after_all_that_was_sent) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    Process child(
        [](Connection peer) {
          peer.send(Words{{"one", {1}}});
          peer.send(std::string("two"));
          peer.send_bytes("three");
        },
        std::move(theirs));
    child.start();
    EXPECT_EQ(ours.receive<Words>(), (Words{{"one", {1}}}));
    EXPECT_EQ(ours.receive<std::string>(), "two");
    EXPECT_EQ(ours.receive_bytes(), Bytes("three"));
    EXPECT_EQ(ours.receive<int>(), std::nullopt);
    EXPECT_EQ(ours.receive<int>(), std::nullopt);
  });
}

TEST_P(ConnectionInBoth, a_peer_that_is_killed_is_the_end) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    Process child(&answer_twice, std::move(theirs));
    child.start();
    ours.send(1);
    EXPECT_EQ(ours.receive<int>(), 2);
    child.kill();
    EXPECT_EQ(ours.receive<int>(), std::nullopt);
    try {
      ours.send(1);
      ADD_FAILURE() << "sent to nobody";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EPIPE);
    }
  });
}

TEST_P(ConnectionInBoth, a_child_that_uses_its_end_sees_the_parents_close) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    // By reference: the child has copies of both ends.
    Process child([&theirs = theirs] {
      if (theirs.receive<int>() != 1) ::_exit(3);
      if (theirs.receive<int>()) ::_exit(4);
    });
    child.start();
    theirs.close();
    ours.send(1);
    ours.close();
    child.join();
    EXPECT_EQ(child.exit_code(), 0);
  });
}

TEST_P(ConnectionInBoth, a_large_value_crosses_whole) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    Process child(
        [](Connection peer) {
          auto numbers = peer.receive<std::vector<int>>();
          numbers->push_back(1);
          peer.send(*numbers);
        },
        std::move(theirs));
    child.start();
    std::vector<int> numbers(3'000'000, 7);
    ours.send(numbers);
    numbers.push_back(1);
    EXPECT_EQ(ours.receive<std::vector<int>>(), numbers);
  });
}

TEST_P(ConnectionInBoth, receiving_ends_by_its_timeout_and_loses_nothing) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    EXPECT_THROW(static_cast<void>(ours.receive<int>(0s)), TimedOut);
    EXPECT_THROW(static_cast<void>(ours.receive<int>(5ms)), TimedOut);
    // Half of a message, then a timeout, then the rest.
    const std::string whole("\4\0\0\0\0\0\0\0\7\0\0\0", 12);
    ASSERT_EQ(::send(theirs.fd(), whole.data(), 9, 0), 9);
    EXPECT_THROW(static_cast<void>(ours.receive<int>(5ms)), TimedOut);
    ASSERT_EQ(::send(theirs.fd(), whole.data() + 9, 3, 0), 3);
    EXPECT_EQ(ours.receive<int>(), 7);
  });
}

TEST_P(ConnectionInBoth, poll_tells_whether_a_value_or_the_end_is_there) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    EXPECT_FALSE(ours.poll());
    EXPECT_FALSE(ours.poll(5ms));
    theirs.send(1);
    EXPECT_TRUE(ours.poll());
    EXPECT_TRUE(ours.poll(10s));
    EXPECT_EQ(ours.receive<int>(), 1);
    EXPECT_FALSE(ours.poll());
    theirs.close();
    EXPECT_TRUE(ours.poll());
    EXPECT_EQ(ours.receive<int>(), std::nullopt);
  });
}

TEST_P(ConnectionInBoth, messages_have_a_limit) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair({.limit = 1000});
    EXPECT_THROW(ours.send(std::string(1000, 'x')), std::length_error);
    ours.send(std::string(900, 'x'));
    EXPECT_EQ(theirs.receive<std::string>(), std::string(900, 'x'));
    const std::string huge("\377\377\377\377\377\377\377\177", 8);
    ASSERT_EQ(::send(theirs.fd(), huge.data(), huge.size(), 0), 8);
    EXPECT_THROW(static_cast<void>(ours.receive<std::string>()), SerialiseError);
    EXPECT_TRUE(ours.closed());
  });
}

TEST_P(ConnectionInBoth, another_type_is_an_error_and_the_next_value_is_received) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    theirs.send(std::string("text"));
    theirs.send(5);
    EXPECT_THROW(static_cast<void>(ours.receive<int>()), SerialiseError);
    EXPECT_EQ(ours.receive<int>(), 5);
  });
}

TEST_P(ConnectionInBoth, a_send_that_is_cut_short_ends_the_way_out) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    EXPECT_THROW(ours.send(std::string(std::size_t{8} << 20, 'x'), 5ms), TimedOut);
    EXPECT_THROW(ours.send(1), SystemError);
    EXPECT_THROW(static_cast<void>(theirs.receive<std::string>()), SerialiseError);
  });
}

TEST_P(ConnectionInBoth, a_closed_or_moved_end_says_so) {
  run_in(GetParam(), [] {
    auto [ours, theirs] = connection_pair();
    Connection moved = std::move(ours);
    EXPECT_TRUE(ours.closed());
    EXPECT_THROW(ours.send(1), SocketClosed);
    moved.close();
    moved.close();
    EXPECT_THROW(static_cast<void>(moved.receive<int>()), SocketClosed);
    EXPECT_EQ(theirs.receive<int>(), std::nullopt);
  });
}

TEST(connection, waiting_lets_other_fibers_run_and_ends_in_all_ways) {
  run([] {
    auto [a, b] = connection_pair();
    Connection& ours = a;
    Connection& theirs = b;
    auto receiver = spawn([&] { return *ours.receive<int>(); });
    yield();
    theirs.send(5);
    EXPECT_EQ(receiver.get(), 5);
    EXPECT_THROW(
        {
          Deadline budget(5ms);
          static_cast<void>(ours.receive<int>());
        },
        DeadlineExceeded);
    auto cancelled = spawn([&] { static_cast<void>(ours.receive<int>()); });
    yield();
    cancelled.kill();
    EXPECT_THROW(cancelled.get(), Cancelled);
    auto closed = spawn([&] { static_cast<void>(ours.receive<int>()); });
    yield();
    ours.close();
    EXPECT_THROW(closed.get(), SocketClosed);
  });
}

// Killed anywhere in a message: the end or an error, never a value that was not sent, never a wait for ever.
TEST_P(ConnectionInBoth, a_peer_killed_anywhere_leaves_no_half_value) {
  run_in(GetParam(), [] {
    int before = 0;
    for (int round = 0; round < kKillRounds; ++round) {
      if (round == 1) before = open_descriptors();  // the first has made what stays
      auto [ours, theirs] = connection_pair();
      Process child(
          [](Connection peer) {
            for (int i = 0;; ++i) peer.send(std::vector<int>(20'000, i));
          },
          std::move(theirs));
      child.start();
      try {
        for (int i = 0; auto numbers = ours.receive<std::vector<int>>(); ++i) {
          EXPECT_EQ(*numbers, std::vector<int>(20'000, i));
          if (i == round % 5) child.kill();
        }
      } catch (const SerialiseError&) {
        // In the middle of one.
      }
      child.join();
    }
    EXPECT_EQ(open_descriptors(), before);
  });
  EXPECT_TRUE(no_children());
}
