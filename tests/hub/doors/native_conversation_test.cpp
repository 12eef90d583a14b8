// The conversation itself: order, ids, errors, limits, drain.
#include "hub/doors/native_conversation.h"

#include <string>
#include <string_view>
#include <utility>

#include "hub/doors/door_fixture.h"
#include "hub/service/utf8.h"

namespace hawser::hub {
namespace {

class Conversation : public DoorTest {};

TEST_F(Conversation, hello_says_what_the_hub_is) {
  with_door([&] {
    const Frame answer = connected()->call({{"cmd", "hello"}, {"version", 1}, {"client", "test"}});
    EXPECT_TRUE(answer["ok"].as_bool());
    EXPECT_EQ(answer["version"].as_int64(), 1);
    EXPECT_EQ(answer["max_header"].as_int64(), 65'536);
    EXPECT_FALSE(answer["auth"].as_array().empty());
  });
}

TEST_F(Conversation, any_id_comes_back_as_it_was) {
  with_door([&] {
    const auto client = connected();
    for (const char* text : {"0", "null", "\"x\"", "[1,{\"a\":null}]", "123456789012345678901234567890", "-1", "1.5"}) {
      const Json id = Json::parse(text);
      EXPECT_EQ(client->call({{"cmd", "ping"}, {"id", id}})["id"].value(), id);
      const Frame refused = client->call({{"cmd", "nonsense"}, {"id", id}});
      EXPECT_EQ(refused["id"].value(), id);
      EXPECT_EQ(error_code(refused), "unknown_command");
    }
    EXPECT_FALSE(client->call({{"cmd", "ping"}}).header().contains("id"));
  });
}

TEST_F(Conversation, an_id_that_is_too_long_is_a_bad_request) {
  with_door([&] {
    const auto client = connected();
    EXPECT_EQ(error_code(client->call({{"cmd", "ping"}, {"id", std::string(60'000, 'x')}})), "bad_request");
    EXPECT_TRUE(client->call({{"cmd", "ping"}})["ok"].as_bool());
  });
}

TEST_F(Conversation, requests_sent_ahead_are_answered_in_order) {
  with_door([&] {
    const auto client = signed_in();
    constexpr int kRequests = 200;
    for (int i = 0; i < kRequests; ++i) {
      switch (i % 3) {
        case 0:
          client->frames.send({{"cmd", "ping"}, {"id", i}});
          break;
        case 1:
          client->frames.send({{"cmd", "stat"}, {"path", "none"}, {"id", i}});
          break;
        default:
          client->frames.send({{"cmd", "list"}, {"path", "."}, {"id", i}});
          break;
      }
    }
    for (int i = 0; i < kRequests; ++i) EXPECT_EQ(client->frames.receive()["id"].as_int64(), i);
  });
}

TEST_F(Conversation, a_header_without_a_usable_command_is_a_bad_request) {
  with_door([&] {
    const auto client = connected();
    EXPECT_EQ(error_code(client->call(Json::object())), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", 5}})), "bad_request");
    EXPECT_EQ(error_code(client->call({{"cmd", nullptr}})), "bad_request");
    EXPECT_TRUE(client->call({{"cmd", "ping"}})["ok"].as_bool());
  });
}

TEST_F(Conversation, messages_repeat_nothing_that_upsets_a_terminal) {
  with_door([&] {
    const auto client = signed_in();
    std::string accents;
    while (accents.size() < 8000) accents += "\u00e9";
    for (const std::string& odd :
         {std::string("\x1b[31m"), std::string("\r\n\t\x7f"), std::string("\u009b2J"), accents, "x" + accents}) {
      for (const Json& request : {Json({{"cmd", odd}}), Json({{"cmd", "invite"}, {"role", odd}}),
                                  Json({{"cmd", "sum"}, {"path", "a"}, {"algorithm", odd}}),
                                  Json({{"cmd", "get"}, {"path", "a"}, {"hash", odd}})}) {
        const Frame answer = client->call(request);
        ASSERT_FALSE(answer["ok"].as_bool());
        const std::string message = answer["error"]["message"].as_string();
        EXPECT_LT(message.size(), 3000U);
        for (std::string_view rest = message; !rest.empty();) {
          const Utf8Character character = first_character(rest);
          ASSERT_GT(character.length, 0U) << message;
          EXPECT_FALSE(is_control(character.code)) << request.dump();
          rest.remove_prefix(character.length);
        }
      }
    }
  });
}

TEST_F(Conversation, a_body_nobody_asked_for_is_dropped) {
  with_door([&] {
    const auto client = connected();
    EXPECT_TRUE(client->call({{"cmd", "ping"}}, std::string(1'000'000, 'x'))["ok"].as_bool());
    EXPECT_EQ(error_code(client->call({{"cmd", "nonsense"}}, std::string(1'000'000, 'x'))), "unknown_command");
    EXPECT_TRUE(client->call({{"cmd", "ping"}})["ok"].as_bool());
  });
}

TEST_F(Conversation, a_refused_body_that_is_too_long_to_drop_ends_the_connection_after_the_answer) {
  with_door([&] {
    const auto client = connected();
    client->frames.send_header({{"cmd", "put"}, {"path", "a"}, {"total", 1U << 30}, {"size", 1U << 30}});
    const Frame answer = client->frames.receive();
    EXPECT_EQ(error_code(answer), "unauthenticated");
    EXPECT_TRUE(answer["closing"].as_bool());
    EXPECT_FALSE(client->frames.receive()) << "closed";
  });
}

TEST_F(Conversation, a_body_nobody_asked_for_that_is_too_long_to_drop_is_refused_before_anything_is_carried_out) {
  with_door([&] {
    constexpr std::uint64_t kLong = NativeConversation::kDropBody + 1;
    const std::pair<Json, const char*> requests[] = {{{{"cmd", "ping"}}, "too_large"},
                                                     {{{"cmd", "mkdir"}, {"path", "made"}}, "too_large"},
                                                     {{{"cmd", "run"}, {"shell", "mkdir made"}}, "too_large"},
                                                     {{{"stream", "stdin"}}, "too_large"},
                                                     {{{"cmd", "nonsense"}}, "unknown_command"}};
    for (const auto& [request, code] : requests) {
      const auto client = signed_in();
      Json header = request;
      header.set("id", 7);
      header.set("size", kLong);
      client->frames.send_header(header);
      const Frame answer = client->frames.receive();
      EXPECT_EQ(error_code(answer), code) << header.dump();
      EXPECT_EQ(answer["id"].as_int64(), 7);
      EXPECT_TRUE(answer.header().get_bool("closing", false)) << header.dump();
      EXPECT_FALSE(client->frames.receive()) << "closed";
    }
    EXPECT_EQ(error_code(signed_in()->call({{"cmd", "stat"}, {"path", "made"}})), "not_found");
  });
}

TEST_F(Conversation, a_bad_frame_is_answered_once_and_closed) {
  with_door([&] {
    for (const std::string& bytes :
         {std::string("\0\0\0\0", 4), std::string("\xff\xff\xff\xff", 4), std::string("GET / HTTP/1.1\r\n\r\n"),
          std::string("\x02\0\0\0[]", 6), std::string("\x11\0\0\0{\"a\":1,  \"a\": 2}", 21),
          std::string("\x05\0\0\0{\"a\":", 9), std::string("\x0c\0\0\0{\"size\":-1} ", 16)}) {
      const auto client = connected();
      client->socket.send_all(bytes);
      client->frames.send({{"cmd", "ping"}});
      EXPECT_EQ(error_code(client->frames.receive()), "bad_frame");
      EXPECT_FALSE(client->frames.receive());
    }
  });
}

TEST_F(Conversation, a_frame_that_is_cut_off_is_a_bad_frame) {
  with_door([&] {
    const auto client = connected();
    client->socket.send_all(std::string_view("\x40\0\0\0{\"cmd\"", 10));
    client->socket.shutdown_write();
    EXPECT_EQ(error_code(client->frames.receive()), "bad_frame");
    EXPECT_FALSE(client->frames.receive());
  });
}

TEST_F(Conversation, a_request_whose_body_is_cut_off_is_a_bad_frame_and_not_carried_out) {
  with_door([&] {
    const auto watching = signed_in();
    for (const char* command : {"mkdir", "put", "nonsense"}) {
      const auto client = signed_in();
      client->frames.send_header({{"cmd", command}, {"path", "cut"}, {"total", 10}, {"size", 10}, {"id", 7}});
      client->frames.write_body("abc");
      client->socket.shutdown_write();
      const Frame answer = client->frames.receive();
      EXPECT_EQ(error_code(answer), "bad_frame");
      EXPECT_EQ(answer["id"].as_int64(), 7);
      EXPECT_TRUE(answer["closing"].as_bool());
      EXPECT_FALSE(client->frames.receive()) << "one error frame and no more";
      EXPECT_EQ(error_code(watching->call({{"cmd", "stat"}, {"path", "cut"}})), "not_found");
    }
  });
}

TEST_F(Conversation, a_draining_door_ends_idle_conversations_and_finishes_busy_ones) {
  with_door([&] {
    const auto idle = connected();
    EXPECT_TRUE(idle->call({{"cmd", "ping"}})["ok"].as_bool());
    const auto busy = signed_in();
    busy->frames.send({{"cmd", "run"}, {"argv", Json::array({"cat"})}, {"id", 1}});
    EXPECT_TRUE(busy->frames.receive()["ok"].as_bool());
    door().drain();
    EXPECT_FALSE(idle->frames.receive());
    busy->frames.send({{"id", 1}, {"stream", "stdin"}}, "still here");
    const Frame output = busy->frames.receive();
    EXPECT_EQ(output["stream"].as_string(), "stdout");
    EXPECT_EQ(busy->frames.read_body_all(100), "still here");
    busy->frames.send({{"id", 1}, {"stream", "stdin"}, {"eof", true}});
    EXPECT_EQ(busy->frames.receive()["exit"].as_int64(), 0);
    EXPECT_FALSE(busy->frames.receive());
  });
}

}  // namespace
}  // namespace hawser::hub
