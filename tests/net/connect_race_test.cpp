#include <hawser/net/connect_race.h>

#include <dirent.h>

#include <mutex>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/net/listener.h>

#include "both_contexts.h"
#include "full_listener.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class connect_race_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(connect_race_in);

// A port where nobody listens.
Address closed_port(std::string_view host = "127.0.0.1") {
  Socket socket(Address::ip(host, 0).family());
  socket.bind(Address::ip(host, 0));
  return socket.sock_name();
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder)) ++count;
  ::closedir(folder);
  return count;
}

// Answers that come when the test says so.
class ScriptedFeed final : public detail::AddressFeed {
 public:
  void add(const Address& address) {
    change([&] { known_.push_back(address); });
  }
  void complete(IpFamily family) {
    change([&] { (family == IpFamily::v6 ? v6_complete_ : v4_complete_) = true; });
  }

  void begin(std::function<void()> notify) override {
    const std::lock_guard hold(lock_);
    notify_ = std::move(notify);
  }
  void end() noexcept override {
    const std::lock_guard hold(lock_);
    notify_ = nullptr;
  }
  std::vector<Address> take() override {
    const std::lock_guard hold(lock_);
    return std::exchange(known_, {});
  }
  [[nodiscard]] bool is_complete(IpFamily family) const override {
    const std::lock_guard hold(lock_);
    return family == IpFamily::v6 ? v6_complete_ : v4_complete_;
  }
  [[nodiscard]] bool begins_with_v6() const override { return true; }
  [[noreturn]] void fail() const override { throw ResolveError("scripted", -2, 0); }

 private:
  void change(const std::function<void()>& step) {
    const std::lock_guard hold(lock_);
    step();
    if (notify_) notify_();
  }

  mutable std::mutex lock_;
  std::function<void()> notify_;
  std::vector<Address> known_;
  bool v4_complete_ = false, v6_complete_ = false;
};

TEST_P(connect_race_in, one_that_hangs_does_not_hold_up_the_others) {
  in_context([] {
    const testing::FullListener full;
    Listener listener({"127.0.0.1", 0});
    std::size_t before = 0;
    for (int round = 0; round < 20; ++round) {
      if (round == 1) before = open_descriptors();  // a thread that has waited once keeps a descriptor for that
      const Address addresses[] = {full.address(), full.address(), listener.address()};
      Socket winner = connect_any(addresses, {.timeout = 30s, .attempt_delay = 1ms});
      EXPECT_EQ(winner.peer_name(), listener.address());
      EXPECT_EQ(winner.peer(), listener.address().str());
      EXPECT_EQ(winner.timeout(), std::nullopt);
      EXPECT_TRUE(winner.get(option::no_delay));
      listener.accept(10s).send_all("x");
      EXPECT_EQ(winner.recv(1), "x");
    }
    EXPECT_EQ(open_descriptors(), before);  // the losers are closed
  });
}

TEST_P(connect_race_in, one_that_hangs_does_not_keep_the_source_port_from_the_others) {
  in_context([] {
    const testing::FullListener full;
    Listener good({"127.0.0.1", 0});
    const Address source = closed_port();
    const Address addresses[] = {full.address(), good.address()};
    Socket socket = connect_any(addresses, {.timeout = 10s, .source = source, .attempt_delay = 5ms});
    EXPECT_EQ(socket.peer_name(), good.address());
    EXPECT_EQ(socket.sock_name(), source);
  });
}

TEST_P(connect_race_in, failure_starts_the_next_at_once) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    const Address addresses[] = {closed_port(), closed_port(), closed_port("::1"), listener.address()};
    EXPECT_EQ(connect_any(addresses, {.timeout = 30s, .attempt_delay = 1h}).peer_name(), listener.address());
  });
}

TEST_P(connect_race_in, families_take_turns_and_the_error_names_every_address) {
  in_context([] {
    const Address a = closed_port(), b = closed_port(), c = closed_port("::1");
    const Address addresses[] = {a, b, c};
    try {
      static_cast<void>(connect_any(addresses));
      FAIL();
    } catch (const ConnectError& error) {
      ASSERT_EQ(error.attempts().size(), 3U);
      EXPECT_EQ(error.attempts()[0].address, a);
      EXPECT_EQ(error.attempts()[1].address, c);
      EXPECT_EQ(error.attempts()[2].address, b);
      EXPECT_EQ(error.error_number(), ECONNREFUSED);
      EXPECT_EQ(error.what(), "connect 3 addresses: " + a.str() + ": Connection refused; " + c.str() +
                                  ": Connection refused; " + b.str() + ": Connection refused");
    }
  });
}

TEST_P(connect_race_in, timeout_names_who_did_not_answer) {
  in_context([] {
    const testing::FullListener full;
    const Address refusing = closed_port();
    const Address addresses[] = {refusing, full.address()};
    try {
      static_cast<void>(connect_any(addresses, {.timeout = 20ms}));
      FAIL();
    } catch (const SocketTimeout& error) {
      EXPECT_EQ(error.what(), "connect 2 addresses: timed out (" + refusing.str() + ": Connection refused; " +
                                  full.address().str() + " did not answer)");
    }
    const Deadline budget(5ms);
    EXPECT_THROW(static_cast<void>(connect_any(addresses)), DeadlineExceeded);
  });
}

TEST_P(connect_race_in, v4_waits_a_moment_for_v6) {
  in_context([this] {
    Listener v4({"127.0.0.1", 0}), v6({"::1", 0});
    ScriptedFeed feed;
    feed.add(v4.address());
    feed.complete(IpFamily::v4);
    auto resolver = peer([&] {
      feed.add(v6.address());
      feed.complete(IpFamily::v6);
    });
    EXPECT_EQ(detail::race(feed, "name:1", {.attempt_delay = 1h, .resolution_delay = 1h}, Expiry::never()).peer_name(),
              v6.address());
    resolver.get();
    // But not longer than that.
    ScriptedFeed slow;
    slow.add(v4.address());
    EXPECT_EQ(detail::race(slow, "name:1", {.attempt_delay = 1h, .resolution_delay = 1ms}, Expiry::never()).peer_name(),
              v4.address());
    // And not at all once it is known that there is none.
    ScriptedFeed none;
    none.add(v4.address());
    none.complete(IpFamily::v6);
    EXPECT_EQ(detail::race(none, "name:1", {.attempt_delay = 1h, .resolution_delay = 1h}, Expiry::never()).peer_name(),
              v4.address());
  });
}

TEST_P(connect_race_in, v6_does_not_wait_for_v4) {
  in_context([] {
    Listener v6({"::1", 0});
    ScriptedFeed feed;
    feed.add(v6.address());
    EXPECT_EQ(detail::race(feed, "name:1", {.resolution_delay = 1h}, Expiry::never()).peer_name(), v6.address());
  });
}

TEST_P(connect_race_in, what_becomes_known_later_joins) {
  in_context([this] {
    const testing::FullListener full;
    Listener v4({"127.0.0.1", 0});
    ScriptedFeed feed;
    feed.add(full.address());
    feed.complete(IpFamily::v6);
    auto resolver = peer([&] {
      feed.add(v4.address());
      feed.complete(IpFamily::v4);
    });
    EXPECT_EQ(detail::race(feed, "name:1", {.attempt_delay = 1ms}, Expiry::never()).peer_name(), v4.address());
    resolver.get();
  });
}

TEST_P(connect_race_in, no_address_and_no_answer_are_two_errors) {
  in_context([] {
    ScriptedFeed empty;
    empty.complete(IpFamily::v4);
    empty.complete(IpFamily::v6);
    EXPECT_THROW(static_cast<void>(detail::race(empty, "name:1", {}, Expiry::never())), ResolveError);
    ScriptedFeed silent;
    try {
      static_cast<void>(detail::race(silent, "name:1", {}, Expiry::in(2ms)));
      FAIL();
    } catch (const SocketTimeout& error) {
      EXPECT_STREQ(error.what(), "resolve name:1: timed out");
    }
  });
}

TEST_P(connect_race_in, python_s_names_for_both_ends) {
  in_context([] {
    Listener server = create_server({"127.0.0.1", 0});
    Socket client = create_connection({"localhost", server.address().port()}, 30s);
    EXPECT_EQ(client.peer_name(), server.address());
    EXPECT_THROW(static_cast<void>(create_connection({"localhost", closed_port().port()}, 30s)), SystemError);
  });
}

TEST(connect_race, can_be_cancelled) {
  run([] {
    const testing::FullListener full;
    const std::vector<Address> addresses(3, full.address());
    auto connecting = spawn([&] { return connect_any(addresses, {.attempt_delay = 0ms}); });
    yield();
    const std::size_t before = open_descriptors();
    connecting.kill();
    connecting.join();
    EXPECT_TRUE(connecting.cancelled());
    EXPECT_LT(open_descriptors(), before);
  });
}

}  // namespace
}  // namespace hawser
