// Which hub, who, and how it is trusted; and what is kept about it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cli/failure.h"
#include "cli/hub_name.h"
#include "cli/known_hubs.h"
#include "cli/private_file.h"
#include "cli/sessions.h"
#include "cli/target.h"
#include "scratch_home.h"

namespace hawser::cli {
namespace {

template <class F>
Exit exit_of(F&& call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.exit();
  }
  return Exit::done;
}

TEST(hub_name, host_and_port_in_every_form) {
  EXPECT_EQ(HubName::parse("example.org:81").text(), "example.org:81");
  EXPECT_EQ(HubName::parse("Example.ORG").text(), "example.org:7700");
  EXPECT_EQ(HubName::parse(":81").text(), "127.0.0.1:81");
  EXPECT_EQ(HubName::parse("").text(), "127.0.0.1:7700");
  EXPECT_EQ(HubName::parse("[::1]:81").text(), "[::1]:81");
  EXPECT_EQ(HubName::parse("[::1]").text(), "[::1]:7700");
  EXPECT_EQ(HubName::parse("::1").text(), "[::1]:7700");
}

TEST(hub_name, nonsense_is_wrong_usage) {
  for (const char* text : {"h:0", "h:65536", "h:99999999999", "h:x", "h:", "[::1", "[::1]81", "[h]:1", "a b:1", "u@h:1",
                           "a:b:c", "[a:b]:1"})
    EXPECT_EQ(exit_of([&] { HubName::parse(text); }), Exit::usage) << text;
}

TEST(sessions, the_latest_comes_first_and_replaces_that_users_last) {
  const ScratchHome scratch;
  const Sessions sessions(scratch.path());
  EXPECT_FALSE(sessions.find("", ""));
  sessions.save({"a:1", "ada", "one", 10, false});
  sessions.save({"b:1", "ben", "two", 20, true});
  sessions.save({"a:1", "eve", "three", 30, false});
  EXPECT_EQ(sessions.find("", "")->token, "three");
  EXPECT_EQ(sessions.find("b:1", "")->token, "two");
  EXPECT_TRUE(sessions.find("b:1", "")->plain);
  EXPECT_EQ(sessions.find("a:1", "ada")->token, "one");
  EXPECT_EQ(sessions.find("", "ben")->hub, "b:1");
  sessions.save({"a:1", "ada", "four", 40, false});
  EXPECT_EQ(sessions.find("a:1", "")->token, "four");
  EXPECT_EQ(sessions.all().size(), 3U);
  sessions.forget("a:1", "ada");
  EXPECT_EQ(sessions.find("a:1", "")->token, "three");
}

TEST(sessions, only_their_owner_can_read_them) {
  const ScratchHome scratch;
  Sessions(scratch.path()).save({"a:1", "ada", "secret", 10, false});
  struct stat status {};
  ASSERT_EQ(::stat((scratch.path() / "sessions").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(sessions, a_damaged_file_costs_a_sign_in_and_no_more) {
  const ScratchHome scratch;
  std::ofstream(scratch.path() / "sessions") << "{\"sessions\": [{\"hub\": 7";
  const Sessions sessions(scratch.path());
  EXPECT_TRUE(sessions.all().empty());
  sessions.save({"a:1", "ada", "one", 10, false});
  EXPECT_EQ(sessions.all().size(), 1U);
}

TEST(known_hubs, the_first_fingerprint_stays) {
  const ScratchHome scratch;
  const KnownHubs known(scratch.path());
  EXPECT_EQ(known.find("a:1"), "");
  EXPECT_TRUE(known.remember("a:1", "sha256:11"));
  EXPECT_TRUE(known.remember("a:11", "sha256:22"));
  EXPECT_TRUE(known.remember("a:1", "sha256:11"));
  EXPECT_FALSE(known.remember("a:1", "sha256:33"));
  EXPECT_EQ(known.find("a:1"), "sha256:11");
  EXPECT_EQ(known.find("a:11"), "sha256:22");
}

TEST(known_hubs, lines_of_other_kinds_are_left_alone) {
  const ScratchHome scratch;
  const KnownHubs known(scratch.path());
  std::ofstream(known.file()) << "# mine\na:1   sha256:11\r\nno line end sha256:1";
  EXPECT_EQ(known.find("a:1"), "sha256:11");
  EXPECT_TRUE(known.remember("b:1", "sha256:22"));
  EXPECT_EQ(known.find("b:1"), "sha256:22");
  EXPECT_TRUE(read_private_file(known.file()).starts_with("# mine\n"));
}

TEST(target, what_is_typed_wins_over_the_environment_and_that_over_what_is_saved) {
  const ScratchHome scratch;
  const Home home = Home::find();
  EXPECT_EQ(find_target({}, home).hub.text(), "127.0.0.1:7700");
  Sessions(home.state()).save({"saved:1", "ada", "token", 10, false});
  EXPECT_EQ(find_target({}, home).hub.text(), "saved:1");
  EXPECT_EQ(find_target({}, home).token, "token");
  EXPECT_EQ(find_target({}, home).user, "ada");
  ::setenv("HAWSER_HUB", "env:1", 1);
  EXPECT_EQ(find_target({}, home).hub.text(), "env:1");
  EXPECT_EQ(find_target({}, home).token, "");
  Globals typed;
  typed.hub = "saved:1";
  EXPECT_EQ(find_target(typed, home).token, "token");
  ::setenv("HAWSER_TOKEN", "other", 1);
  EXPECT_EQ(find_target(typed, home).token, "other");
  ::unsetenv("HAWSER_HUB");
  ::unsetenv("HAWSER_TOKEN");
}

TEST(target, a_plain_session_is_plain_again_unless_trust_is_asked_for) {
  const ScratchHome scratch;
  const Home home = Home::find();
  Sessions(home.state()).save({"127.0.0.1:1", "ada", "token", 10, true});
  EXPECT_TRUE(find_target({}, home).plain);
  EXPECT_FALSE(find_target({}, home, true).plain);
  Globals pinned;
  pinned.pin = "sha256:" + std::string(64, 'a');
  EXPECT_FALSE(find_target(pinned, home).plain);
}

TEST(target, contradictions_are_wrong_usage) {
  const ScratchHome scratch;
  const Home home = Home::find();
  Globals both;
  both.ca = "ca.pem";
  both.pin = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(exit_of([&] { static_cast<void>(find_target(both, home)); }), Exit::usage);
  Globals plain;
  plain.plain = true;
  plain.ca = "ca.pem";
  EXPECT_EQ(exit_of([&] { static_cast<void>(find_target(plain, home)); }), Exit::usage);
  Globals nonsense;
  nonsense.pin = "nonsense";
  EXPECT_EQ(exit_of([&] { static_cast<void>(find_target(nonsense, home)); }), Exit::usage);
}

}  // namespace
}  // namespace hawser::cli
