#include <hawser/net/socket_options.h>

#include <gtest/gtest.h>

#include <hawser/base/errors.h>
#include <hawser/net/socket.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(socket_options, read_back_what_was_set) {
  Socket socket(AF_INET);
  for (const auto& option : {option::reuse_address, option::reuse_port, option::broadcast, option::keep_alive,
                             option::no_delay, option::dont_route, option::oob_inline}) {
    socket.set(option, true);
    EXPECT_TRUE(socket.get(option)) << option.name;
    socket.set(option, false);
    EXPECT_FALSE(socket.get(option)) << option.name;
  }
  socket.set(option::receive_buffer, 8192);
  EXPECT_EQ(socket.get(option::receive_buffer), 8192);
  socket.set(option::send_buffer, 16384);
  EXPECT_EQ(socket.get(option::send_buffer), 16384);
  socket.set(option::user_timeout, 1500ms);
  EXPECT_EQ(socket.get(option::user_timeout), 1500ms);
  socket.set(option::linger, option::Linger{.on = true, .wait = 3s});
  EXPECT_TRUE(socket.get(option::linger).on);
  EXPECT_EQ(socket.get(option::linger).wait, 3s);
}

TEST(socket_options, device_is_bound_to_by_name) {
  Socket socket(AF_INET, SOCK_DGRAM), elsewhere(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(socket.get(option::bind_to_device), "");
  socket.set(option::bind_to_device, "lo");
  EXPECT_EQ(socket.get(option::bind_to_device), "lo");
  socket.bind(Address::ip("127.0.0.1", 0));
  elsewhere.send_to("x", socket.sock_name());
  EXPECT_EQ(socket.recv(10), "x");
}

TEST(socket_options, keep_alive_in_one_go) {
  Socket socket(AF_INET);
  socket.set_keep_alive({.idle = 30s, .interval = 5s, .count = 3});
  EXPECT_TRUE(socket.get(option::keep_alive));
  EXPECT_EQ(socket.get(option::keep_alive_idle), 30s);
  EXPECT_EQ(socket.get(option::keep_alive_interval), 5s);
  EXPECT_EQ(socket.get(option::keep_alive_count), 3);
}

TEST(socket_options, error_names_the_option_and_the_value) {
  Socket socket(AF_INET);
  try {
    socket.set(option::keep_alive_count, -1);
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "setsockopt TCP_KEEPCNT -1: Invalid argument");
  }
  try {
    socket.set(option::bind_to_device, "nowhere7");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("setsockopt SO_BINDTODEVICE nowhere7: ")) << error.what();
  }
  Socket unix_socket(AF_UNIX);
  EXPECT_THROW(unix_socket.set_no_delay(true), SystemError);
}

TEST(socket_options, values_that_do_not_fit_are_refused) {
  Socket socket(AF_INET);
  EXPECT_THROW(socket.set(option::keep_alive_idle, std::chrono::seconds(1LL << 40)), std::invalid_argument);
  EXPECT_THROW(socket.set(option::receive_buffer, -1), std::invalid_argument);
}

}  // namespace
}  // namespace hawser
