// How a wait for a socket ends before its time.
#include <hawser/net/socket.h>

#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>

#include "both_contexts.h"
#include "tcp_streams.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::receive;
using testing::tcp_pair;

class socket_timeout_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(socket_timeout_in);

TEST_P(socket_timeout_in, timeout_is_its_own_error) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1ms);
    EXPECT_THROW(a.recv(1), SocketTimeout);
    EXPECT_EQ(a.timeout(), Timeout(1ms));
    // A SocketTimeout is neither of the other two.
    try {
      a.recv(1);
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(dynamic_cast<const DeadlineExceeded*>(&error), nullptr);
      EXPECT_EQ(dynamic_cast<const Cancelled*>(&error), nullptr);
    }
    b.send_all("x");
    EXPECT_EQ(a.recv(1), "x");
  });
}

TEST_P(socket_timeout_in, deadline_scope_ends_a_wait_and_is_named) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1h);
    Deadline budget(1ms, "fetch");
    try {
      a.recv(1);
      FAIL();
    } catch (const DeadlineExceeded& error) {
      EXPECT_NE(std::string(error.what()).find("fetch"), std::string::npos) << error.what();
    }
  });
}

TEST_P(socket_timeout_in, nearest_of_timeout_and_deadline_wins) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1ms);
    Deadline budget(1h);
    EXPECT_THROW(a.recv(1), SocketTimeout);
  });
}

TEST_P(socket_timeout_in, zero_timeout_polls) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_blocking(false);
    EXPECT_THROW(a.recv(1), WouldBlock);
    b.send_all("x");
    EXPECT_EQ(a.recv(1), "x");
    a.set_blocking(true);
    EXPECT_EQ(a.timeout(), std::nullopt);
    EXPECT_THROW(a.set_timeout(-1s), std::invalid_argument);
  });
}

TEST_P(socket_timeout_in, timeout_of_send_all_is_its_whole_budget_and_tells_what_went) {
  in_context([] {
    auto [a, b] = tcp_pair();
    a.set_timeout(5ms);
    try {
      a.send_all(std::string(64 << 20, 'x'));
      FAIL();
    } catch (const SocketTimeout& error) {
      EXPECT_GT(error.transferred(), 0U);
      EXPECT_EQ(receive(b, error.transferred()).size(), error.transferred());
    }
  });
}

TEST_P(socket_timeout_in, idle_timeout_ends_stalls_only) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    a.set_idle_timeout(250ms);
    auto slow = peer([&b = b] {
      for (int i = 0; i < 30; ++i) {  // longer in all than the idle timeout
        sleep(10ms);
        b.send_all("x");
      }
    });
    EXPECT_EQ(receive(a, 30).size(), 30U);
    EXPECT_THROW(a.recv(1), SocketTimeout);
    slow.get();
  });
}

}  // namespace
}  // namespace hawser
