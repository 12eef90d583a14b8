#include <hawser/net/connect.h>

#include <unistd.h>

#include <latch>
#include <memory>
#include <semaphore>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/listener.h>
#include <hawser/net/lookup_threads.h>
#include <hawser/net/resolver.h>

#include "both_contexts.h"
#include "full_listener.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class connect_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(connect_in);

// A port where nobody listens.
Address closed_port() {
  Listener listener({"127.0.0.1", 0});
  return listener.address();
}

TEST_P(connect_in, reaches_a_listener_by_address_and_by_name) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    for (const char* host : {"127.0.0.1", "localhost"}) {
      Socket client = connect({host, listener.address().port()}, {.timeout = 5s, .family = IpFamily::v4});
      Socket server = listener.accept(5s);
      EXPECT_EQ(client.peer_name(), listener.address());
      EXPECT_EQ(server.peer_name(), client.sock_name());
      EXPECT_TRUE(client.get(option::no_delay));
      EXPECT_EQ(client.timeout(), std::nullopt);
      client.send_all("hi");
      EXPECT_EQ(server.recv(10), "hi");
    }
  });
}

TEST_P(connect_in, refusal_names_the_address) {
  in_context([] {
    const Address nobody = closed_port();
    try {
      static_cast<void>(connect(nobody));
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ECONNREFUSED);
      EXPECT_EQ(error.what(), "connect " + nobody.str() + ": Connection refused");
    }
  });
}

TEST_P(connect_in, tries_every_address_in_turn) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    const Address addresses[] = {closed_port(), closed_port(), listener.address()};
    EXPECT_EQ(connect_any(addresses).peer_name(), listener.address());
    EXPECT_THROW(static_cast<void>(connect_any({})), std::invalid_argument);
  });
}

TEST_P(connect_in, timeout_is_the_budget_of_all_addresses) {
  in_context([] {
    const testing::FullListener full;
    const std::vector<Address> addresses(100, full.address());
    EXPECT_THROW(static_cast<void>(connect_any(addresses, {.timeout = 20ms})), SocketTimeout);
  });
}

TEST_P(connect_in, deadline_is_not_a_timeout) {
  in_context([] {
    const testing::FullListener full;
    Deadline budget(5ms);
    EXPECT_THROW(static_cast<void>(connect(full.address())), DeadlineExceeded);
  });
}

TEST_P(connect_in, connect_ex_gives_the_error_number) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    Socket socket(AF_INET);
    EXPECT_EQ(socket.connect_ex(listener.address()), 0);
    EXPECT_EQ(socket.connect_ex(listener.address()), EISCONN);
    EXPECT_EQ(Socket(AF_INET).connect_ex(closed_port()), ECONNREFUSED);
    const testing::FullListener full;
    Socket waiting(AF_INET);
    waiting.set_timeout(1ms);
    EXPECT_EQ(waiting.connect_ex(full.address()), EAGAIN);
    Socket polling(AF_INET);
    polling.set_blocking(false);
    EXPECT_EQ(polling.connect_ex(full.address()), EINPROGRESS);
    Socket closed(AF_INET);
    closed.close();
    EXPECT_EQ(closed.connect_ex(full.address()), EBADF);
    closed = Socket();
    EXPECT_EQ(closed.connect_ex(full.address()), EBADF);
  });
}

TEST_P(connect_in, close_wakes_a_connect) {
  in_context([this] {
    const testing::FullListener full;
    Socket socket(AF_INET);
    auto connecting = peer([&] { socket.connect(full.address()); });
    yield();
    socket.close();
    EXPECT_THROW(connecting.get(), SocketClosed);
  });
}

TEST_P(connect_in, unix_backlog_that_is_full_is_waited_for) {
  in_context([this] {
    Listener listener(Address::unix_path("@hawser-full-" + std::to_string(::getpid())), {.backlog = 0});
    Socket first = connect(listener.address());
    auto second = peer([&] { EXPECT_EQ(connect(listener.address()).recv(1), "x"); });
    yield();
    static_cast<void>(listener.accept(5s));
    listener.accept(5s).send_all("x");
    second.get();
    Socket third = connect(listener.address());
    EXPECT_THROW(static_cast<void>(connect(listener.address(), {.timeout = 5ms})), SocketTimeout);
  });
}

TEST_P(connect_in, unix_backlog_that_is_full_would_block) {
  in_context([] {
    Listener listener(Address::unix_path("@hawser-full-now-" + std::to_string(::getpid())), {.backlog = 0});
    Socket first = connect(listener.address());
    Socket second(AF_UNIX);
    second.set_blocking(false);
    EXPECT_THROW(second.connect(listener.address()), WouldBlock);
    EXPECT_EQ(second.connect_ex(listener.address()), EAGAIN);
    static_cast<void>(listener.accept(5s));
    EXPECT_EQ(second.connect_ex(listener.address()), 0);
  });
}

TEST_P(connect_in, never_connects_to_itself) {
  in_context([] {
    // Asking for our own port as source and as destination is the surest way to meet ourselves.
    const Address nobody = closed_port();
    EXPECT_THROW(static_cast<void>(connect(nobody, {.source = nobody})), SystemError);
  });
}

class resolve_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(resolve_in);

TEST_P(resolve_in, numeric_addresses_need_no_resolver) {
  in_context([] {
    EXPECT_EQ(resolve({"127.0.0.1", 80}), std::vector{Address::ip("127.0.0.1", 80)});
    EXPECT_EQ(resolve({"::1", 80}), std::vector{Address::ip("::1", 80)});
    EXPECT_EQ(resolve(Endpoint::unix_path("/run/x")), std::vector{Address::unix_path("/run/x")});
    // So they don't even need time.
    EXPECT_EQ(resolve({"127.0.0.1", 80}, {.timeout = 0s}).size(), 1U);
    EXPECT_THROW(resolve({"::1", 80}, {.family = IpFamily::v4}), ResolveError);
  });
}

TEST_P(resolve_in, localhost_is_loopback_with_the_port_asked_for) {
  in_context([] {
    const auto addresses = resolve({"localhost", 8080}, {.timeout = 10s});
    ASSERT_FALSE(addresses.empty());
    for (const Address& address : addresses) {
      EXPECT_TRUE(address.is_loopback()) << address.str();
      EXPECT_EQ(address.port(), 8080);
    }
  });
}

TEST_P(resolve_in, unknown_name_is_a_typed_error) {
  in_context([] {
    try {
      resolve({"no-such-host.invalid", 80}, {.timeout = 60s});
      FAIL();
    } catch (const ResolveError& error) {
      EXPECT_EQ(error.host(), "no-such-host.invalid");
      EXPECT_NE(error.code(), 0);
      EXPECT_TRUE(std::string_view(error.what()).starts_with("resolve no-such-host.invalid: ")) << error.what();
    } catch (const SocketTimeout&) {  // a machine whose name server is silent
    }
  });
}

TEST_P(resolve_in, timeout_and_deadline_are_distinct) {
  in_context([] {
    // A quick resolver may know that there is no such host before anybody looks at the clock.
    const Endpoint endpoint{"no-such-host.invalid", 80};
    try {
      resolve(endpoint, {.timeout = 0s});
      ADD_FAILURE();
    } catch (const SocketTimeout&) {
    } catch (const ResolveError&) {
    }
    try {
      const Deadline budget(0s);
      resolve(endpoint);
      ADD_FAILURE();
    } catch (const DeadlineExceeded&) {
    } catch (const ResolveError&) {
    }
  });
}

TEST_P(resolve_in, names_of_addresses_and_services) {
  in_context([] {
    EXPECT_EQ(reverse_resolve(Address::ip("127.0.0.1", 0), 60s), "localhost");
    EXPECT_THROW(reverse_resolve(Address::unix_path("/x")), std::logic_error);
    try {
      const std::string name = reverse_resolve(Address::ip("203.0.113.77", 0), 60s);  // reserved for documents
      EXPECT_FALSE(name.empty());
    } catch (const ResolveError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("resolve 203.0.113.77: ")) << error.what();
    } catch (const SocketTimeout&) {  // a silent name server
    }
    EXPECT_EQ(service_port("http"), 80);
    EXPECT_EQ(service_port("domain", "udp"), 53);
    EXPECT_EQ(service_name(80), "http");
    EXPECT_THROW(service_port("no-such-service"), ResolveError);
    EXPECT_THROW(service_name(70000), AddressError);
    EXPECT_FALSE(host_name().empty());
  });
}

// Questions whose answers come when the test is over: a silent name server.
class Silence {
 public:
  explicit Silence(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      lookups_.push_back(std::make_unique<detail::LookupThreads::Lookup>(
          [state = state_] {
            state->asked.release();
            state->over.wait();
            return detail::Answer();
          },
          [] {}));
    }
    for (int i = 0; i < kResolverThreads; ++i) state_->asked.acquire();
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() { state_->over.count_down(); }
  void give_up() { lookups_.clear(); }

 private:
  struct State {
    std::counting_semaphore<> asked{0};
    std::latch over{1};
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  std::vector<std::unique_ptr<detail::LookupThreads::Lookup>> lookups_;
};

TEST_P(resolve_in, names_that_were_given_up_hold_up_no_others) {
  in_context([] {
    Silence silence(3 * kResolverThreads);
    silence.give_up();
    EXPECT_TRUE(resolve({"localhost", 80}, {.timeout = 20s}).front().is_loopback());
  });
}

TEST_P(resolve_in, names_hold_up_no_services) {
  in_context([] {
    const Silence silence(kResolverThreads);
    EXPECT_EQ(service_port("http", "tcp", 20s), 80);
    EXPECT_EQ(service_name(80, "tcp", 20s), "http");
  });
}

TEST(resolve, many_at_once_are_all_answered) {
  run([] {
    TaskGroup group;
    for (int i = 0; i < 200; ++i) group.spawn([i] { EXPECT_EQ(resolve({"localhost", i}).front().port(), i); });
    group.join();
  });
}

TEST(resolve, lets_other_fibers_run_and_can_be_cancelled) {
  run([] {
    auto looking = spawn([] { return resolve({"no-such-host.invalid", 80}); });
    yield();
    looking.kill();
    looking.join();
    EXPECT_TRUE(looking.ready());
  });
}

}  // namespace
}  // namespace hawser
