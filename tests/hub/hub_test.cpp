#include "hub/hub.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/tls/tls_stream.h>
#include <hawser/wire/frame_stream.h>

namespace hawser::hub {
namespace {

class HubTest : public ::testing::Test {
 protected:
  HubTest() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-hub-XXXXXX";
    options_.root = ::mkdtemp(name.data());
    options_.listen = "127.0.0.1:0";
    options_.drain = std::chrono::seconds(5);
  }
  ~HubTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(options_.root, ignored);
  }
  Options options_;
};

TEST_F(HubTest, serves_over_tls_with_the_fingerprint_it_tells_and_drains) {
  run([&] {
    Hub hub(options_);
    const auto serving = spawn([&] { hub.serve(); });
    Socket socket = connect(Endpoint::parse(hub.address()));
    TlsStream secure(socket, TlsContext::client({.pin = hub.fingerprint(), .alpn = {"hawser/1"}}));
    FrameStream frames(secure);
    frames.send({{"cmd", "ping"}});
    EXPECT_TRUE(frames.receive()["ok"].as_bool());
    hub.drain();
    EXPECT_FALSE(frames.receive());
    serving.get();
  });
}

TEST_F(HubTest, certificate_and_first_invite_are_made_once_and_the_invite_until_it_is_used) {
  options_.plain = true;
  run([&] {
    std::string invite;
    {
      Hub hub(options_);
      EXPECT_TRUE(hub.fingerprint().empty());
      EXPECT_EQ(hub.first_invite().size() % 2, 0U);
      EXPECT_GE(hub.first_invite().size(), 16U);
    }
    Hub hub(options_);
    invite = hub.first_invite();
    ASSERT_FALSE(invite.empty()) << "nobody used the first";
    const auto serving = spawn([&] { hub.serve(); });
    Socket socket = connect(Endpoint::parse(hub.address()));
    FrameStream frames(socket);
    frames.send({{"cmd", "register"}, {"user", "chief"}, {"password", "correct horse"}, {"invite", invite}});
    EXPECT_TRUE(frames.receive()["ok"].as_bool());
    frames.send({{"cmd", "login"}, {"user", "chief"}, {"password", "correct horse"}});
    EXPECT_EQ(frames.receive()["roles"].as_array().at(0).as_string(), "admin");
    hub.stop();
    serving.get();
  });
  run([&] {
    const Hub hub(options_);
    EXPECT_TRUE(hub.first_invite().empty());
  });
}

TEST_F(HubTest, stop_cuts_what_a_drain_would_wait_for) {
  options_.plain = true;
  options_.drain = std::chrono::hours(1);
  run([&] {
    Hub hub(options_);
    const auto serving = spawn([&] { hub.serve(); });
    Socket socket = connect(Endpoint::parse(hub.address()));
    FrameStream frames(socket);
    frames.send(
        {{"cmd", "register"}, {"user", "chief"}, {"password", "correct horse"}, {"invite", hub.first_invite()}});
    EXPECT_TRUE(frames.receive()["ok"].as_bool());
    frames.send({{"cmd", "login"}, {"user", "chief"}, {"password", "correct horse"}});
    EXPECT_TRUE(frames.receive()["ok"].as_bool());
    frames.send({{"cmd", "run"}, {"argv", Json::array({"sleep", "300"})}});
    EXPECT_TRUE(frames.receive()["ok"].as_bool());
    hub.drain();
    hub.stop();
    serving.get();
    EXPECT_EQ(hub.connections(), 0U);
  });
}

TEST_F(HubTest, a_port_that_is_taken_is_named) {
  options_.plain = true;
  run([&] {
    const Hub hub(options_);
    Options second = options_;
    second.root = options_.root / "second";
    second.listen = hub.address();
    try {
      const Hub other(second);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_NE(std::string(error.what()).find(hub.address()), std::string::npos) << error.what();
    }
  });
}

}  // namespace
}  // namespace hawser::hub
