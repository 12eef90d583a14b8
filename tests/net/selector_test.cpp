#include <hawser/net/selector.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>

#include "both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::ContextKind;

// Every behaviour with every kind in both contexts.
class selector_in : public ::testing::TestWithParam<std::tuple<SelectorKind, ContextKind>> {
 protected:
  [[nodiscard]] static SelectorKind kind() { return std::get<0>(GetParam()); }
  [[nodiscard]] static ContextKind context() { return std::get<1>(GetParam()); }
  static void in_context(const std::function<void()>& body) { testing::run_in_context(context(), body); }
  [[nodiscard]] static testing::Peer peer(std::function<void()> body) { return {context(), std::move(body)}; }
};

std::string name_of(const ::testing::TestParamInfo<selector_in::ParamType>& info) {
  const SelectorKind kind = std::get<0>(info.param);
  return std::string(kind == SelectorKind::select ? "select"
                     : kind == SelectorKind::poll ? "poll"
                                                  : "epoll") +
         (std::get<1>(info.param) == ContextKind::fiber ? "_fiber" : "_thread");
}
INSTANTIATE_TEST_SUITE_P(by, selector_in,
                         ::testing::Combine(::testing::Values(SelectorKind::select, SelectorKind::poll,
                                                              SelectorKind::epoll),
                                            ::testing::Values(ContextKind::fiber, ContextKind::thread)),
                         name_of);

// The numbers that one select() reported.
std::vector<std::pair<int, Events>> numbers(const std::vector<Ready>& ready) {
  std::vector<std::pair<int, Events>> all;
  for (const auto& [key, events] : ready) all.emplace_back(key->fd, events);
  return all;
}

using Numbers = std::vector<std::pair<int, Events>>;

TEST_P(selector_in, reports_what_was_asked_for_and_is_ready) {
  in_context([] {
    Selector selector(kind());
    EXPECT_EQ(selector.kind(), kind());
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read, std::string("mine"));
    EXPECT_TRUE(selector.select(0s).empty());
    b.send_all("x");
    const auto ready = selector.select();
    EXPECT_EQ(numbers(ready), (Numbers{{a.fileno(), Events::read}}));
    EXPECT_EQ(std::any_cast<std::string>(ready.front().key->data), "mine");
    selector.modify(a, Events::read | Events::write);
    EXPECT_EQ(numbers(selector.select()), (Numbers{{a.fileno(), Events::read | Events::write}}));
    EXPECT_EQ(std::any_cast<std::string>(selector.get_key(a)->data), "mine");
    selector.modify(a, Events::write, 7);
    EXPECT_EQ(numbers(selector.select()), (Numbers{{a.fileno(), Events::write}}));
    EXPECT_EQ(std::any_cast<int>(selector.unregister(a)->data), 7);
    EXPECT_TRUE(selector.select(0s).empty());
    EXPECT_TRUE(selector.get_map().empty());
  });
}

TEST_P(selector_in, level_repeats_until_it_is_taken) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read);
    b.send_all("x");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(selector.select().size(), 1U);
    EXPECT_EQ(a.recv(10), "x");
    EXPECT_TRUE(selector.select(0s).empty());
  });
}

TEST_P(selector_in, one_shot_fires_once_until_it_is_armed_again) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read, {}, Trigger::one_shot);
    b.send_all("x");
    EXPECT_EQ(selector.select().size(), 1U);
    EXPECT_TRUE(selector.select(0s).empty());
    b.close();  // not even that
    EXPECT_TRUE(selector.select(1ms).empty());
    selector.modify(a, Events::read);
    EXPECT_EQ(selector.select().size(), 1U);
    EXPECT_TRUE(selector.select(0s).empty());
  });
}

TEST_P(selector_in, waits_for_none_a_while_or_as_long_as_it_takes) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read);
    EXPECT_TRUE(selector.select(0s).empty());
    EXPECT_TRUE(selector.select(2ms).empty());
    EXPECT_THROW(selector.select(-1s), std::invalid_argument);
    {
      const Deadline budget(2ms);
      EXPECT_THROW(selector.select(), DeadlineExceeded);
    }
    auto later = peer([&b = b] { b.send_all("x"); });
    EXPECT_EQ(selector.select().size(), 1U);
    later.get();
  });
}

TEST_P(selector_in, wake_ends_a_wait_and_is_never_lost) {
  in_context([] {
    Selector selector(kind());
    selector.wake();
    EXPECT_TRUE(selector.select().empty());
    for (int round = 0; round < 500; ++round) {
      auto other = peer([&] { selector.wake(); });
      EXPECT_TRUE(selector.select().empty());
      other.get();
    }
    EXPECT_TRUE(selector.select(1ms).empty());
  });
}

TEST_P(selector_in, close_wakes_a_wait) {
  in_context([] {
    for (int round = 0; round < 200; ++round) {
      Selector selector(kind());
      auto [a, b] = socketpair();
      selector.register_fd(a, Events::read);
      auto waiting = peer([&] { selector.select(); });
      if (round % 2) yield();
      selector.close();
      selector.close();
      EXPECT_THROW(waiting.get(), SocketClosed);
      EXPECT_THROW(selector.select(), SocketClosed);
      EXPECT_THROW(selector.register_fd(b, Events::read), SocketClosed);
    }
  });
}

TEST_P(selector_in, what_is_registered_meanwhile_is_seen) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    auto [c, d] = socketpair();
    selector.register_fd(a, Events::read);
    d.send_all("x");
    auto other = peer([&selector, &c = c] { selector.register_fd(c, Events::read); });
    EXPECT_EQ(numbers(selector.select()), (Numbers{{c.fileno(), Events::read}}));
    other.get();
    selector.modify(c, Events::urgent);
    auto third = peer([&selector, &a = a] { selector.modify(a, Events::write); });
    EXPECT_EQ(numbers(selector.select()), (Numbers{{a.fileno(), Events::write}}));
    third.get();
  });
}

TEST_P(selector_in, two_in_select_at_once_are_a_programming_error) {
  in_context([] {
    Selector selector(kind());
    std::atomic<bool> refused = false;
    const auto attempt = [&] {
      try {
        selector.select(refused ? Timeout(0s) : Timeout());
      } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find("at once"), std::string::npos);
        refused = true;
        selector.wake();
      }
    };
    auto other = peer(attempt);
    while (!refused) {  // whichever of the two comes second
      try {
        selector.select(0s);
      } catch (const std::logic_error&) {
        refused = true;
        selector.wake();
      }
      yield();
    }
    other.get();
    // It works on.
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::write);
    while (selector.select().empty()) {
    }
  });
}

TEST_P(selector_in, wrong_registrations_are_errors_and_change_nothing) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read, 1);
    EXPECT_THROW(selector.register_fd(a, Events::read), std::invalid_argument);
    EXPECT_THROW(selector.register_fd(b, Events::none), std::invalid_argument);
    EXPECT_THROW(selector.register_fd(-1, Events::read), std::invalid_argument);
    EXPECT_THROW(selector.register_fd(Socket(), Events::read), std::invalid_argument);
    EXPECT_THROW(selector.register_fd(999, Events::read), SystemError);  // not open
    EXPECT_THROW(selector.modify(b, Events::read), std::invalid_argument);
    EXPECT_THROW(selector.unregister(b), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(selector.get_key(b)), std::invalid_argument);
    EXPECT_THROW(selector.modify(a, Events::none), std::invalid_argument);
    if (kind() != SelectorKind::epoll) {
      EXPECT_THROW(selector.register_fd(b, Events::read, {}, Trigger::edge), std::invalid_argument);
      EXPECT_THROW(selector.modify(a, Events::read, {}, Trigger::edge), std::invalid_argument);
    }
    ASSERT_EQ(selector.get_map().size(), 1U);
    EXPECT_EQ(std::any_cast<int>(selector.get_key(a)->data), 1);
    b.send_all("x");
    EXPECT_EQ(numbers(selector.select()), (Numbers{{a.fileno(), Events::read}}));
  });
}

TEST_P(selector_in, failed_modify_leaves_the_registration_as_it_was) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    const int number = a.fileno();
    selector.register_fd(a, Events::read, 1);
    a.close();
    EXPECT_THROW(selector.modify(number, Events::write, 2), SystemError);
    EXPECT_EQ(selector.get_key(number)->events, Events::read);
    EXPECT_EQ(std::any_cast<int>(selector.get_key(number)->data), 1);
    EXPECT_EQ(std::any_cast<int>(selector.unregister(number)->data), 1);
  });
}

TEST_P(selector_in, closed_one_is_not_reported_and_can_be_unregistered) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    auto [c, d] = socketpair();
    selector.register_fd(a, Events::read);
    selector.register_fd(c, Events::read);
    a.close();
    EXPECT_TRUE(selector.select(1ms).empty());
    d.send_all("x");
    EXPECT_EQ(selector.select().size(), 1U);
    selector.unregister(a);  // by itself, though its number is gone
    EXPECT_EQ(selector.get_map().size(), 1U);
  });
}

TEST_P(selector_in, closed_one_can_be_unregistered_after_its_number_was_reused) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    auto [c, d] = socketpair();
    const int number = a.fileno();
    selector.register_fd(a, Events::read, std::string("old"));
    a.close();
    const UniqueFd reused(::fcntl(c.fileno(), F_DUPFD_CLOEXEC, number));
    ASSERT_EQ(reused.get(), number);
    EXPECT_EQ(std::any_cast<std::string>(selector.unregister(number)->data), "old");
    selector.register_fd(number, Events::read, std::string("new"));
    d.send_all("x");
    const auto ready = selector.select();
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(std::any_cast<std::string>(ready.front().key->data), "new");
  });
}

TEST_P(selector_in, another_file_under_the_number_of_a_closed_one_is_not_reported) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    auto [c, d] = socketpair();
    const int number = a.fileno();
    selector.register_fd(a, Events::read);
    a.close();
    const UniqueFd reused(::fcntl(c.fileno(), F_DUPFD_CLOEXEC, number));
    ASSERT_EQ(reused.get(), number);
    d.send_all("x");
    EXPECT_TRUE(selector.select(2ms).empty());
    try {
      selector.modify(number, Events::write);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ENOENT);
    }
    EXPECT_TRUE(selector.select(2ms).empty());
    selector.unregister(number);
    selector.register_fd(number, Events::read);
    EXPECT_EQ(numbers(selector.select()), (Numbers{{number, Events::read}}));
  });
}

// epoll(7) watches files, not numbers: one that lives on in a copy would be reported for ever.
TEST_P(selector_in, file_that_lives_on_in_a_copy_is_not_reported_after_it_was_unregistered) {
  in_context([] {
    Selector selector(kind());
    auto [a, b] = socketpair();
    auto [c, d] = socketpair();
    const int number = a.fileno();
    selector.register_fd(a, Events::read);
    const UniqueFd copy = duplicate(number);
    a.close();
    selector.unregister(number);
    b.send_all("x");
    EXPECT_TRUE(selector.select(2ms).empty());
    selector.register_fd(c, Events::read);
    d.send_all("x");
    EXPECT_EQ(numbers(selector.select()), (Numbers{{c.fileno(), Events::read}}));
  });
}

TEST_P(selector_in, hang_up_and_error_are_reported_as_what_was_asked_for) {
  in_context([] {
    Selector selector(kind());
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    UniqueFd read_end(fds[0]), write_end(fds[1]);
    selector.register_fd(read_end.get(), Events::read);
    selector.register_fd(write_end.get(), Events::write);
    EXPECT_EQ(numbers(selector.select()), (Numbers{{write_end.get(), Events::write}}));
    write_end.reset();
    EXPECT_EQ(numbers(selector.select()), (Numbers{{read_end.get(), Events::read}}));
  });
}

TEST_P(selector_in, urgent_data_is_an_event_of_its_own) {
  in_context([] {
    Selector selector(kind());
    Listener listener({"127.0.0.1", 0});
    Socket a = connect(listener.address()), b = listener.accept();
    selector.register_fd(b, Events::urgent);
    a.send_all("x");
    EXPECT_TRUE(selector.select(1ms).empty());
    ASSERT_EQ(::send(a.fileno(), "!", 1, MSG_OOB), 1);
    EXPECT_EQ(numbers(selector.select()), (Numbers{{b.fileno(), Events::urgent}}));
  });
}

TEST_P(selector_in, regular_file_is_always_ready_or_refused) {
  in_context([] {
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    Selector selector(kind());
    if (kind() == SelectorKind::epoll) {
      EXPECT_THROW(selector.register_fd(file.get(), Events::read), SystemError);
      return;
    }
    selector.register_fd(file.get(), Events::read);
    EXPECT_EQ(selector.select().size(), 1U);
    selector.modify(file.get(), Events::urgent);
    EXPECT_TRUE(selector.select(2ms).empty());
  });
}

TEST_P(selector_in, serves_hundreds_at_once_and_each_gets_its_own) {
  in_context([] {
    Selector selector(kind());
    constexpr int kPairs = 100;  // within a limit of 256 descriptors
    std::vector<std::pair<Socket, Socket>> pairs;
    for (int i = 0; i < kPairs; ++i) {
      pairs.push_back(socketpair());
      selector.register_fd(pairs.back().first, Events::read, i);
    }
    auto writing = peer([&pairs] {
      for (int round = 0; round < 20; ++round) {
        for (auto& [reader, writer] : pairs) writer.send_all("x");
      }
      for (auto& [reader, writer] : pairs) writer.close();
    });
    std::vector<std::size_t> got(kPairs);
    while (!selector.get_map().empty()) {
      for (const auto& [key, events] : selector.select()) {
        const auto i = static_cast<std::size_t>(std::any_cast<int>(key->data));
        const Bytes data = pairs[i].first.try_recv(100).value();
        got[i] += data.size();
        if (!data) selector.unregister(key->fd);
      }
    }
    EXPECT_EQ(got, std::vector<std::size_t>(kPairs, 20));
    writing.get();
  });
}

class edge_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(edge_in);

TEST_P(edge_in, fires_once_for_each_arrival) {
  in_context([] {
    Selector selector;
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read, {}, Trigger::edge);
    EXPECT_TRUE(selector.select(0s).empty());
    for (int i = 0; i < 10; ++i) {
      b.send_all("x");
      EXPECT_EQ(selector.select().size(), 1U);
      EXPECT_TRUE(selector.select(0s).empty());  // though nothing was taken
    }
    EXPECT_EQ(a.recv(100), "xxxxxxxxxx");
  });
}

TEST_P(edge_in, loses_no_event) {
  in_context([this] {
    Selector selector;
    auto [a, b] = socketpair();
    selector.register_fd(a, Events::read, {}, Trigger::edge);
    constexpr std::size_t kBytes = 20'000;
    auto writer = peer([&b = b] {
      for (std::size_t i = 0; i < kBytes; ++i) {
        b.send_all("x");
        if (i % 7 == 0) yield();
      }
    });
    std::size_t got = 0;
    while (got < kBytes) {
      ASSERT_EQ(selector.select().size(), 1U);
      while (const auto data = a.try_recv(3)) got += data->size();
    }
    writer.get();
  });
}

TEST(selector, select_refuses_what_an_fd_set_cannot_hold) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit more = before;
  more.rlim_cur = std::min<rlim_t>(before.rlim_max, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &more), 0);
  if (more.rlim_cur > 1100) {
    auto [a, b] = socketpair();
    const UniqueFd high(::fcntl(a.fileno(), F_DUPFD_CLOEXEC, 1024));
    ASSERT_GE(high.get(), 1024);
    Selector by_select(SelectorKind::select);
    try {
      by_select.register_fd(high.get(), Events::write);
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("1023"), std::string::npos) << error.what();
    }
    for (const SelectorKind kind : {SelectorKind::poll, SelectorKind::epoll}) {
      Selector selector(kind);
      selector.register_fd(high.get(), Events::write);
      EXPECT_EQ(selector.select().size(), 1U);
    }
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(selector, lets_other_fibers_run_and_can_be_cancelled) {
  run([] {
    for (const SelectorKind kind : {SelectorKind::select, SelectorKind::poll, SelectorKind::epoll}) {
      Selector selector(kind);
      auto [a, b] = socketpair();
      selector.register_fd(a, Events::read);
      auto waiting = spawn([&] { selector.select(); });
      yield();
      waiting.kill();
      EXPECT_THROW(waiting.get(), Cancelled);
      b.send_all("x");
      EXPECT_EQ(selector.select().size(), 1U);
    }
  });
}

TEST(selector, is_registered_with_from_many_threads_while_one_waits) {
  for (const SelectorKind kind : {SelectorKind::select, SelectorKind::poll, SelectorKind::epoll}) {
    Selector selector(kind);
    std::atomic<int> running = 2;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 300; ++round) {
          auto [a, b] = socketpair();
          b.send_all("x");
          selector.register_fd(a, Events::read);
          selector.modify(a, Events::read | Events::write);
          selector.unregister(a);
        }
        --running;
        selector.wake();
      });
    }
    while (running) selector.select();
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(selector.get_map().empty());
  }
}

}  // namespace
}  // namespace hawser
