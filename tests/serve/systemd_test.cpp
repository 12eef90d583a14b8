#include <hawser/serve/systemd.h>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <hawser/fiber/run.h>
#include <hawser/net/address.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

class Systemd : public ::testing::Test {
 protected:
  ~Systemd() override {
    for (const char* name :
         {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
};

TEST_F(Systemd, nothing_happens_without_a_manager) {
  EXPECT_TRUE(inherited_sockets().empty());
  EXPECT_FALSE(notify_service_manager("READY=1"));
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  run([] { const ServiceWatchdog alive; });
}

TEST_F(Systemd, sockets_meant_for_another_process_are_left) {
  set("LISTEN_PID", "1");
  set("LISTEN_FDS", "2");
  EXPECT_TRUE(inherited_sockets().empty());
  EXPECT_STREQ(::getenv("LISTEN_FDS"), "2");
}

TEST_F(Systemd, a_count_that_is_none_is_refused) {
  set("LISTEN_PID", std::to_string(::getpid()));
  for (const char* count : {"", "x", "-1", "1x", "100000"}) {
    set("LISTEN_FDS", count);
    EXPECT_THROW(static_cast<void>(inherited_sockets()), std::invalid_argument) << count;
  }
}

TEST_F(Systemd, notices_arrive_and_a_missing_listener_is_no_error) {
  const std::string name = "@hawser-notify-test-" + std::to_string(::getpid());
  set("NOTIFY_SOCKET", name);
  EXPECT_FALSE(notify_service_manager("READY=1"));
  Socket manager(AF_UNIX, SOCK_DGRAM);
  manager.bind(Address::unix_path(name));
  EXPECT_TRUE(notify_service_manager("READY=1\nSTATUS=here"));
  EXPECT_EQ(manager.recv_from().data, "READY=1\nSTATUS=here");
}

TEST_F(Systemd, the_watchdog_is_fed_while_the_loop_turns) {
  const std::string name = "@hawser-watchdog-test-" + std::to_string(::getpid());
  set("NOTIFY_SOCKET", name);
  set("WATCHDOG_USEC", "2000");
  EXPECT_EQ(watchdog_interval(), Timeout(2ms));
  run([&] {
    Socket manager(AF_UNIX, SOCK_DGRAM);
    manager.bind(Address::unix_path(name));
    const ServiceWatchdog alive;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.recv_from().data, "WATCHDOG=1");
  });
  set("WATCHDOG_PID", "1");
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

}  // namespace
}  // namespace hawser
