#include <hawser/sync/channel.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

#include "sync/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ChannelEverywhere : public Everywhere {};
HAWSER_EVERYWHERE(ChannelEverywhere);

TEST_P(ChannelEverywhere, every_item_arrives_once) {
  run_in(GetParam(), [] {
    constexpr int kEach = 800;
    Channel<int> channel;
    std::vector<std::atomic<int>> seen(3 * kEach);
    Contexts contexts(GetParam());
    std::atomic<int> sending = 3;
    for (int s = 0; s < 3; ++s) {
      contexts.start([&, s] {
        for (int n = 0; n < kEach; ++n) channel.send(s * kEach + n);
        if (--sending == 0) channel.close();
      });
      contexts.start([&] {
        for (int n : channel) ++seen[static_cast<std::size_t>(n)];
      });
    }
    contexts.join();
    for (auto& count : seen) EXPECT_EQ(count, 1);
  });
}

TEST_P(ChannelEverywhere, timeouts_on_both_sides_agree_on_what_was_handed_over) {
  run_in(GetParam(), [] {
    Channel<int> channel;
    std::atomic<long> sent = 0, received = 0;
    std::atomic<int> sending = 2;
    Contexts contexts(GetParam());
    for (int s = 0; s < 2; ++s) {
      contexts.start([&] {
        for (int n = 1; n <= 600; ++n) {
          try {
            channel.send(n, std::chrono::microseconds(n % 90));
            sent += n;
          } catch (const TimedOut&) {
            yield();
          }
        }
        --sending;
      });
      contexts.start([&] {
        for (int n = 0; sending > 0; ++n) {
          try {
            received += channel.receive(std::chrono::microseconds(n % 70)).value_or(0);
          } catch (const TimedOut&) {
            yield();
          }
        }
      });
    }
    contexts.join();
    EXPECT_EQ(sent, received);
  });
}

// Two rings of channels, every context selecting between sending to one and receiving from another.
TEST_P(ChannelEverywhere, select_hands_over_each_item_once) {
  run_in(GetParam(), [] {
    constexpr int kContexts = 4, kItems = 300;
    std::vector<std::unique_ptr<Channel<int>>> ring;
    for (int i = 0; i < kContexts; ++i) ring.push_back(std::make_unique<Channel<int>>());
    std::atomic<long> sent = 0, received = 0;
    std::atomic<int> sending = kContexts;
    Contexts contexts(GetParam());
    for (int me = 0; me < kContexts; ++me) {
      contexts.start([&, me] {
        Channel<int>& from = *ring[static_cast<std::size_t>(me)];
        Channel<int>& to = *ring[static_cast<std::size_t>((me + 1) % kContexts)];
        std::optional<int> got;
        for (int item = 1, tries = me; item <= kItems; ++tries) {
          int next = item;
          const auto done = select(std::chrono::microseconds(tries % 50), receive_from(from, got), send_to(to, next));
          if (!done) {
            EXPECT_EQ(next, item);
            yield();
            continue;
          }
          if (*done == 0) {
            received += got.value();
          } else {
            sent += item++;
          }
        }
        --sending;
        while (sending > 0) {
          if (select(1ms, receive_from(from, got))) received += got.value();
        }
      });
    }
    contexts.join();
    EXPECT_EQ(sent, received);
    EXPECT_EQ(sent, kContexts * (kItems * (kItems + 1) / 2));
  });
}

TEST_P(ChannelEverywhere, close_frees_both_sides) {
  run_in(GetParam(), [] {
    Channel<int> to_send, to_receive;
    std::atomic<int> freed = 0;
    Contexts contexts(GetParam());
    for (int i = 0; i < 2; ++i) {
      contexts.start([&] {
        EXPECT_THROW(to_send.send(1), ChannelClosed);
        ++freed;
      });
      contexts.start([&] {
        EXPECT_EQ(to_receive.receive(), std::nullopt);
        ++freed;
      });
      contexts.start([&] {
        std::optional<int> got = 5;
        EXPECT_EQ(select(receive_from(to_receive, got)), 0U);
        EXPECT_EQ(got, std::nullopt);
        ++freed;
      });
    }
    yield();
    to_send.close();
    to_receive.close();
    to_receive.close();
    contexts.join();
    EXPECT_EQ(freed, 6);
  });
}

TEST(channel, a_send_waits_for_its_receiver) {
  run([] {
    Channel<std::string> channel;
    bool sent = false;
    auto sender = spawn([&] {
      channel.send("hello");
      sent = true;
    });
    for (int i = 0; i < 3; ++i) yield();
    EXPECT_FALSE(sent);
    EXPECT_EQ(channel.receive(), "hello");
    sender.get();
    EXPECT_TRUE(sent);
  });
}

TEST(channel, is_first_come_first_served) {
  run([] {
    Channel<int> channel;
    std::vector<Task<void>> senders;
    for (int i = 0; i < 4; ++i) senders.push_back(spawn([&, i] { channel.send(i); }));
    yield();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(channel.receive(), i);
    join_all(senders);
  });
}

TEST(channel, trying_needs_somebody_on_the_other_side) {
  run([] {
    Channel<std::unique_ptr<int>> channel;
    auto item = std::make_unique<int>(7);
    EXPECT_FALSE(channel.try_send(std::move(item)));
    ASSERT_NE(item, nullptr);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_FALSE(channel.try_receive());
    auto receiver = spawn([&] { return *channel.receive().value(); });
    yield();
    EXPECT_TRUE(channel.try_send(std::move(item)));
    EXPECT_EQ(receiver.get(), 7);
    auto sender = spawn([&] { channel.send(std::make_unique<int>(8)); });
    yield();
    EXPECT_EQ(*channel.try_receive().value(), 8);
    sender.get();
    channel.close();
    item = std::make_unique<int>(9);
    EXPECT_THROW(static_cast<void>(channel.try_send(std::move(item))), ChannelClosed);
    EXPECT_EQ(*item, 9);  // NOLINT(bugprone-use-after-move)
    EXPECT_FALSE(channel.try_receive());
    EXPECT_FALSE(channel.receive());
  });
}

TEST(channel, waits_end_in_three_ways) {
  run([] {
    Channel<int> channel;
    EXPECT_THROW(channel.send(1, 1ms), TimedOut);
    EXPECT_THROW(channel.receive(1ms), TimedOut);
    EXPECT_THROW(channel.receive(0ms), TimedOut);
    EXPECT_THROW(channel.send(1, -1ms), std::invalid_argument);
    {
      Deadline budget(1ms);
      EXPECT_THROW(channel.send(1), DeadlineExceeded);
      EXPECT_THROW(channel.receive(), DeadlineExceeded);
    }
    auto killed = spawn([&] { channel.send(1); });
    yield();
    killed.kill_and_join();
    EXPECT_TRUE(killed.cancelled());
    EXPECT_FALSE(channel.try_receive().has_value()) << "what a killed sender offered is gone";
  });
}

TEST(channel, killing_one_side_against_the_other_swallows_nothing) {
  run(RunOptions{.loops = 2}, [] {
    for (int round = 0; round < 2000; ++round) {
      Channel<int> channel;
      int received = 0, sent = 0;
      auto killed = spawn_on(1, [&] {
        channel.send(1);
        sent = 1;
      });
      auto receiver = spawn([&] { received = channel.receive(round % 2 ? Timeout(20us) : Timeout(1ms)).value_or(0); });
      yield();
      killed.kill();
      receiver.join();
      killed.join();
      static_cast<void>(receiver.exception());
      EXPECT_EQ(sent, received);
    }
  });
}

TEST(channel, carries_what_may_throw_when_it_is_moved) {
  struct Heavy {
    explicit Heavy(int v) : value(v) {}
    Heavy(Heavy&& other) noexcept(false) : value(other.value) {}
    Heavy& operator=(Heavy&&) = delete;
    int value;
  };
  run([] {
    Channel<Heavy> channel;
    auto sender = spawn([&] { channel.send(Heavy(3)); });
    EXPECT_EQ(channel.receive().value().value, 3);
    sender.get();
  });
}

TEST(select, does_the_first_case_that_can_be_done) {
  run([] {
    Channel<int> a, b;
    auto to_b = spawn([&] { b.send(2); });
    yield();
    std::optional<int> from_a, from_b;
    EXPECT_EQ(select(receive_from(a, from_a), receive_from(b, from_b)), 1U);
    EXPECT_EQ(from_b, 2);
    EXPECT_EQ(from_a, std::nullopt);
    auto again = spawn([&] { b.send(3); });
    auto to_a = spawn([&] { a.send(4); });
    yield();
    EXPECT_EQ(select(receive_from(a, from_a), receive_from(b, from_b)), 0U);
    EXPECT_EQ(from_a, 4);
    EXPECT_EQ(b.receive(), 3);
    join_all(to_b, again, to_a);
  });
}

TEST(select, leaves_no_trace_in_the_channels_it_did_not_use) {
  run([] {
    Channel<int> a, b;
    auto selecting = spawn([&] {
      std::optional<int> from_a, from_b;
      return select(receive_from(a, from_a), receive_from(b, from_b));
    });
    yield();
    EXPECT_TRUE(b.try_send(1));
    EXPECT_EQ(selecting.get(), 1U);
    EXPECT_FALSE(a.try_send(1));
    std::string item = "kept";
    Channel<std::string> words;
    EXPECT_EQ(select(0ms, send_to(words, item)), std::nullopt);
    EXPECT_EQ(item, "kept");
    EXPECT_THROW(select(-1ms, send_to(words, item)), std::invalid_argument);
    EXPECT_EQ(item, "kept");
    words.close();
    EXPECT_THROW(select(send_to(words, item)), ChannelClosed);
    EXPECT_EQ(item, "kept");
  });
}

TEST(select, does_not_meet_itself) {
  run([] {
    Channel<int> channel;
    std::optional<int> got;
    int item = 1;
    EXPECT_EQ(select(1ms, send_to(channel, item), receive_from(channel, got)), std::nullopt);
    auto other = spawn([&] { return channel.receive(); });
    EXPECT_EQ(select(send_to(channel, item), receive_from(channel, got)), 0U);
    EXPECT_EQ(other.get(), 1);
  });
}
