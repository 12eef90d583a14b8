// Who is asking.
#include "hub/doors/door_fixture.h"

namespace hawser::hub {
namespace {

class NativeSession : public DoorTest {};

TEST_F(NativeSession, registers_signs_in_and_tells_who_one_is) {
  with_door([&] {
    const auto client = connected();
    EXPECT_TRUE(client->call({{"cmd", "register"}, {"user", "anna"}, {"password", kPassword}})["ok"].as_bool());
    const Frame login = client->call({{"cmd", "login"}, {"user", "anna"}, {"password", kPassword}});
    EXPECT_EQ(login["token"].as_string().size(), 64U);
    EXPECT_GT(login["expires"].as_int64(), 1'600'000'000);
    EXPECT_EQ(login["roles"].as_array().at(0).as_string(), "member");
    const Frame who = client->call({{"cmd", "whoami"}});
    EXPECT_EQ(who["user"].as_string(), "anna");
    EXPECT_TRUE(who["quota"].value().is_null());
  });
}

TEST_F(NativeSession, nothing_is_served_without_one) {
  with_door([&] {
    const auto client = connected();
    for (const char* cmd : {"list", "stat", "mkdir", "remove", "move", "sum", "du", "offset", "put", "get", "run",
                            "logout", "passwd", "whoami", "invite", "users", "role", "quota"}) {
      EXPECT_EQ(error_code(client->call({{"cmd", cmd}, {"path", "a"}})), "unauthenticated") << cmd;
    }
  });
}

TEST_F(NativeSession, a_token_signs_in_another_connection_until_logout_kills_it_everywhere) {
  with_door([&] {
    const auto here = signed_in();
    const Frame again = here->call({{"cmd", "login"}, {"user", "anna"}, {"password", kPassword}});
    const std::string token = again["token"].as_string();
    const auto there = connected();
    EXPECT_EQ(there->call({{"cmd", "resume"}, {"token", token}})["user"].as_string(), "anna");
    EXPECT_TRUE(here->call({{"cmd", "logout"}})["ok"].as_bool());
    EXPECT_EQ(error_code(there->call({{"cmd", "list"}, {"path", "."}})), "unauthenticated");
    EXPECT_EQ(error_code(connected()->call({{"cmd", "resume"}, {"token", token}})), "unauthenticated");
  });
}

TEST_F(NativeSession, a_new_password_replaces_the_old_one) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_EQ(error_code(client->call({{"cmd", "passwd"}, {"old", "wrong password"}, {"new", "another word"}})),
              "forbidden");
    EXPECT_TRUE(client->call({{"cmd", "passwd"}, {"old", kPassword}, {"new", "another word"}})["ok"].as_bool());
    const auto other = connected();
    EXPECT_EQ(error_code(other->call({{"cmd", "login"}, {"user", "anna"}, {"password", kPassword}})),
              "unauthenticated");
    EXPECT_TRUE(other->call({{"cmd", "login"}, {"user", "anna"}, {"password", "another word"}})["ok"].as_bool());
  });
}

TEST_F(NativeSession, members_may_not_do_what_admins_do) {
  with_door([&] {
    const auto client = signed_in();
    EXPECT_EQ(error_code(client->call({{"cmd", "invite"}})), "forbidden");
    EXPECT_EQ(error_code(client->call({{"cmd", "users"}})), "forbidden");
    EXPECT_EQ(error_code(client->call({{"cmd", "role"}, {"user", "anna"}, {"role", "admin"}})), "forbidden");
    EXPECT_EQ(error_code(client->call({{"cmd", "quota"}, {"user", "anna"}, {"bytes", 5}})), "forbidden");
  });
}

}  // namespace
}  // namespace hawser::hub
