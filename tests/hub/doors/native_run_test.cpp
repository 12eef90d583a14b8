// Commands over the wire.
#include <csignal>
#include <string>
#include <utility>

#include <hawser/fiber/run.h>

#include "hub/doors/door_fixture.h"
#include "hub/doors/native_conversation.h"

namespace hawser::hub {
namespace {

using namespace std::chrono_literals;

struct Ended {
  std::string out;
  std::string err;
  Json last;
};

Ended finish(Client& client) {
  Ended ended;
  for (;;) {
    const Frame frame = client.frames.receive();
    if (!frame) return ended;
    const std::string stream = frame.header().get_string("stream", "");
    if (stream.empty()) {
      ended.last = frame.header();
      return ended;
    }
    (stream == "stdout" ? ended.out : ended.err) += client.frames.read_body_all(1 << 20).view();
  }
}

Ended run_shell(Client& client, const std::string& text) {
  const Frame started = client.call({{"cmd", "run"}, {"shell", text}});
  EXPECT_TRUE(started["ok"].as_bool()) << started.header().dump();
  EXPECT_GT(started["pid"].as_int64(), 1);
  return finish(client);
}

// Until nobody is left in that process group.
void await_end_of_group(pid_t group) {
  while (::kill(-group, 0) == 0) sleep(1ms);
}

class NativeRun : public DoorTest {};

TEST_F(NativeRun, output_comes_apart_and_the_end_is_told) {
  with_door([&] {
    const auto client = signed_in();
    const Ended ended = run_shell(*client, "echo out; echo err >&2; exit 3");
    EXPECT_EQ(ended.out, "out\n");
    EXPECT_EQ(ended.err, "err\n");
    EXPECT_EQ(ended.last, Json({{"exit", 3}}));
    EXPECT_EQ(run_shell(*client, "kill -KILL $$").last, Json({{"signal", "SIGKILL"}}));
  });
}

TEST_F(NativeRun, input_is_handed_on_and_a_large_one_comes_back_whole) {
  with_door([&] {
    const auto client = signed_in();
    const std::string data(3'000'000, 'd');
    EXPECT_TRUE(client->call({{"cmd", "run"}, {"argv", Json::array({"cat"})}})["ok"].as_bool());
    const auto feeder = spawn([&] {
      for (std::size_t at = 0; at < data.size(); at += 100'000) {
        client->frames.send({{"stream", "stdin"}}, BytesView(data).from(at).first(100'000));
      }
      client->frames.send({{"stream", "stdin"}, {"eof", true}});
    });
    const Ended ended = finish(*client);
    feeder.get();
    EXPECT_EQ(ended.out, data);
    EXPECT_EQ(ended.last, Json({{"exit", 0}}));
  });
}

TEST_F(NativeRun, what_cannot_be_started_is_refused) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"argv", Json::array({"/no/such/program"})}})), "not_found");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"argv", Json::array({"no-such-program"})}})), "not_found");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"argv", Json::array({"/etc/passwd"})}})), "forbidden");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}})), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"argv", "ls"}})), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"shell", "ls"}, {"timeout", -1}})), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", "run"}, {"shell", "ls"}, {"tty", {{"rows", 1}}}})), "bad_request");
    EXPECT_EQ(run_shell(*client, "exit 0").last, Json({{"exit", 0}}));
  });
}

TEST_F(NativeRun, null_is_as_good_as_nothing_for_whatever_may_be_left_out) {
  with_door([&] {
    const auto client = signed_in();
    Json request = {{"cmd", "run"},   {"cwd", nullptr},      {"env", nullptr},  {"timeout", nullptr},
                    {"tty", nullptr}, {"encoding", nullptr}, {"argv", nullptr}, {"shell", nullptr}};
    EXPECT_EQ(error_code(client->call(request)), "bad_request") << "neither";
    const std::pair<const char*, Json> programs[] = {{"argv", Json::array({"echo", "a"})}, {"shell", "echo a"}};
    for (const auto& [key, program] : programs) {
      Json one = request;
      one.set(key, program);
      const Frame started = client->call(one);
      ASSERT_TRUE(started["ok"].as_bool()) << started.header().dump();
      EXPECT_EQ(finish(*client).out, "a\n");
    }
  });
}

TEST_F(NativeRun, who_may_is_the_policys_business) {
  with_door(
      [&] {
        EXPECT_EQ(error_code(signed_in()->call({{"cmd", "run"}, {"shell", "true"}})), "forbidden");
      },
      RunPolicy::admins);
}

TEST_F(NativeRun, a_signal_reaches_the_command) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_TRUE(client->call({{"cmd", "run"}, {"shell", "echo ready; exec sleep 300"}, {"id", 1}})["ok"].as_bool());
    EXPECT_EQ(client->frames.receive()["stream"].as_string(), "stdout");
    client->frames.send({{"id", 1}, {"signal", "SIGNONSENSE"}});
    client->frames.send({{"id", 2}, {"signal", "SIGKILL"}});  // not for this one
    client->frames.send({{"id", 1}, {"signal", "SIGINT"}});
    EXPECT_EQ(finish(*client).last, Json({{"id", 1}, {"signal", "SIGINT"}}));
  });
}

TEST_F(NativeRun, the_time_that_was_given_ends_it) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_TRUE(client->call({{"cmd", "run"}, {"shell", "sleep 300 & sleep 300"}, {"timeout", 0.05}})["ok"].as_bool());
    EXPECT_EQ(finish(*client).last, Json({{"timeout", true}}));
  });
}

TEST_F(NativeRun, the_next_request_waits_for_the_end_and_late_input_is_dropped) {
  with_door([&] {
    const auto client = signed_in();
    client->frames.send({{"cmd", "run"}, {"argv", Json::array({"cat"})}, {"id", "run"}});
    client->frames.send({{"id", "run"}, {"stream", "stdin"}}, "to the end");
    client->frames.send({{"cmd", "ping"}, {"id", "ping"}});
    EXPECT_EQ(client->frames.receive()["id"].as_string(), "run");
    EXPECT_EQ(finish(*client).out, "to the end");
    EXPECT_EQ(client->frames.receive()["id"].as_string(), "ping");
    client->frames.send({{"id", "run"}, {"stream", "stdin"}}, "too late");
    client->frames.send({{"id", "run"}, {"signal", "SIGINT"}});
    EXPECT_EQ(client->call({{"cmd", "ping"}, {"id", 2}})["id"].as_int64(), 2);
  });
}

TEST_F(NativeRun, an_end_that_leaves_too_much_input_says_that_the_connection_closes) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_TRUE(client->call({{"cmd", "run"}, {"shell", "head -c 3"}})["ok"].as_bool());
    client->frames.send_header({{"stream", "stdin"}, {"size", 2 * NativeConversation::kDropBody}});
    client->frames.write_body("abc");
    const Ended ended = finish(*client);
    EXPECT_EQ(ended.out, "abc");
    EXPECT_EQ(ended.last, Json({{"exit", 0}, {"closing", true}}));
    EXPECT_FALSE(client->frames.receive()) << "closed";
  });
}

TEST_F(NativeRun, what_it_left_running_does_not_hold_up_its_end) {
  with_door([&] {
    const auto client = signed_in();
    const Ended ended = run_shell(*client, "sleep 300 & echo $!");
    EXPECT_EQ(ended.last, Json({{"exit", 0}}));
    ::kill(std::stoi(ended.out), SIGKILL);
  });
}

TEST_F(NativeRun, the_end_of_the_connection_ends_the_command_and_its_group) {
  with_door([&] {
    auto client = signed_in();
    const Frame started = client->call({{"cmd", "run"}, {"shell", "sleep 300 | sleep 300 & echo ready; sleep 300"}});
    const auto group = static_cast<pid_t>(started["pid"].as_int64());
    EXPECT_EQ(client->frames.receive()["stream"].as_string(), "stdout");
    client.reset();
    await_end_of_group(group);
  });
}

TEST_F(NativeRun, a_client_that_left_behind_unread_input_is_noticed) {
  with_door([&] {
    auto client = signed_in();
    const Frame started = client->call({{"cmd", "run"}, {"shell", "exec sleep 300"}});
    const auto group = static_cast<pid_t>(started["pid"].as_int64());
    // More than the pipe holds, so that the hub cannot read on to the end of the stream.
    for (int i = 0; i < 2; ++i) client->frames.send({{"stream", "stdin"}}, std::string(80'000, 'i'));
    client.reset();
    await_end_of_group(group);
  });
}

TEST_F(NativeRun, a_client_that_left_behind_its_next_request_is_noticed) {
  with_door([&] {
    for (const bool half : {false, true}) {
      auto client = signed_in();
      const Frame started = client->call({{"cmd", "run"}, {"shell", "exec sleep 86400"}});
      const auto group = static_cast<pid_t>(started["pid"].as_int64());
      client->frames.send({{"cmd", "mkdir"}, {"path", "ahead"}});
      if (half) {
        client->socket.shutdown_write();
        EXPECT_FALSE(client->frames.receive()) << "closed without an answer to either";
      } else {
        client.reset();
      }
      await_end_of_group(group);
      EXPECT_EQ(error_code(signed_in()->call({{"cmd", "stat"}, {"path", "ahead"}})), "not_found");
    }
  });
}

TEST_F(NativeRun, many_commands_side_by_side_and_one_after_another) {
  with_door([&] {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(signed_in());
    for (int round = 0; round < 5; ++round) {
      for (auto& client : clients) client->frames.send({{"cmd", "run"}, {"shell", "echo hello"}});
      for (auto& client : clients) {
        EXPECT_TRUE(client->frames.receive()["ok"].as_bool());
        EXPECT_EQ(finish(*client).out, "hello\n");
      }
    }
  });
}

}  // namespace
}  // namespace hawser::hub
