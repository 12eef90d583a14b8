#include "hub/service/commands.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

CommandRequest argv(std::vector<std::string> words) {
  CommandRequest request;
  request.argv = std::move(words);
  return request;
}

class CommandsTest : public TemporaryRoot {
 protected:
  void SetUp() override {
    TemporaryRoot::SetUp();
    anna_.role = Role::admin;
    allow({});
  }
  void TearDown() override {
    commands_.reset();
    TemporaryRoot::TearDown();
  }
  void allow(CommandOptions options) { commands_ = std::make_unique<Commands>(*files_, *audit_, options); }

  std::optional<ErrorCode> refused(const CommandRequest& request) {
    return code_of([&] { static_cast<void>(commands_->begin(anna_, request)); });
  }

  std::unique_ptr<Commands> commands_;
};

TEST_F(CommandsTest, the_policy_says_who_may) {
  for (const auto& [policy, admin, member] : std::vector<std::tuple<RunPolicy, bool, bool>>{
           {RunPolicy::none, false, false}, {RunPolicy::admins, true, false}, {RunPolicy::members, true, true}}) {
    allow({.policy = policy});
    anna_.role = Role::admin;
    EXPECT_EQ(refused(argv({"true"})), admin ? std::nullopt : std::optional(ErrorCode::forbidden));
    anna_.role = Role::member;
    EXPECT_EQ(refused(argv({"true"})), member ? std::nullopt : std::optional(ErrorCode::forbidden));
  }
}

TEST_F(CommandsTest, refusals_do_not_fill_the_audit) {
  allow({.policy = RunPolicy::none});
  const auto before = store_->audit(2000).size();
  for (int n = 0; n < 500; ++n) EXPECT_EQ(refused(argv({"true"})), ErrorCode::forbidden);
  EXPECT_GT(store_->audit(2000).size(), before);
  EXPECT_LT(store_->audit(2000).size(), before + 50);
}

TEST_F(CommandsTest, a_command_starts_in_the_home_with_a_fresh_environment) {
  ASSERT_EQ(::setenv("HAWSER_TEST_SECRET", "secret", 1), 0);
  CommandRequest request = argv({"ls", "-l"});
  request.env = {{"COLOUR", "blue"}, {"LANG", "de_DE.UTF-8"}};
  request.timeout = 5s;
  const RunningCommand running = commands_->begin(anna_, request);
  EXPECT_EQ(running.command().argv, (std::vector<std::string>{"ls", "-l"}));
  EXPECT_EQ(running.timeout(), 5s);
  const PopenOptions& options = running.options();
  ASSERT_TRUE(options.env);
  EXPECT_EQ(options.env->at("HOME"), home());
  EXPECT_EQ(options.env->at("USER"), "anna");
  EXPECT_EQ(options.env->at("COLOUR"), "blue");
  EXPECT_EQ(options.env->at("LANG"), "de_DE.UTF-8");
  EXPECT_FALSE(options.env->contains("HAWSER_TEST_SECRET"));
  EXPECT_TRUE(options.env->contains("PATH"));
  EXPECT_TRUE(options.stdout_.is(Pipe::open) && options.stderr_.is(Pipe::open) && options.stdin_.is(Pipe::open));
  EXPECT_EQ(options.group, ProcessGroup::own);
  struct stat started {};
  struct stat wanted {};
  ASSERT_EQ(::fstat(options.cwd_fd, &started), 0);
  ASSERT_EQ(::stat(home().c_str(), &wanted), 0);
  EXPECT_EQ(started.st_ino, wanted.st_ino);
}

TEST_F(CommandsTest, a_text_goes_to_the_shell) {
  CommandRequest request;
  request.shell = "ls | wc";
  EXPECT_EQ(commands_->begin(anna_, request).command().argv, (std::vector<std::string>{"/bin/sh", "-c", "ls | wc"}));
}

TEST_F(CommandsTest, the_directory_lies_inside_the_home) {
  fs::create_directory(home() / "d");
  fs::create_directory_symlink("/tmp", home() / "out");
  put("file", "x");
  const auto in = [&](std::string_view where) {
    CommandRequest request = argv({"true"});
    request.cwd = path(where);
    return refused(request);
  };
  EXPECT_EQ(in("d"), std::nullopt);
  EXPECT_EQ(in("out"), ErrorCode::forbidden);
  EXPECT_EQ(in("none"), ErrorCode::not_found);
  EXPECT_EQ(in("file"), ErrorCode::conflict);
}

TEST_F(CommandsTest, what_makes_no_sense_is_refused) {
  EXPECT_EQ(refused({}), ErrorCode::bad_request);
  EXPECT_EQ(refused(argv({""})), ErrorCode::bad_request);
  EXPECT_EQ(refused(argv({std::string("a\0b", 3)})), ErrorCode::bad_request);
  CommandRequest both = argv({"true"});
  both.shell = "true";
  EXPECT_EQ(refused(both), ErrorCode::bad_request);
  for (const char* name : {"", "A=B", "1A", "A B"}) {
    CommandRequest request = argv({"true"});
    request.env[name] = "x";
    EXPECT_EQ(refused(request), ErrorCode::bad_request) << name;
  }
  CommandRequest nul = argv({"true"});
  nul.env["A"] = std::string("a\0b", 3);
  EXPECT_EQ(refused(nul), ErrorCode::bad_request);
  CommandRequest no_time = argv({"true"});
  no_time.timeout = 0ms;
  EXPECT_EQ(refused(no_time), ErrorCode::bad_request);
}

TEST_F(CommandsTest, everything_has_a_limit) {
  EXPECT_EQ(refused(argv(std::vector<std::string>(1025, "x"))), ErrorCode::too_large);
  EXPECT_EQ(refused(argv({"x", std::string(200'000, 'x')})), ErrorCode::too_large);
  CommandRequest shell;
  shell.shell = std::string(200'000, 'x');
  EXPECT_EQ(refused(shell), ErrorCode::too_large);
  CommandRequest many = argv({"true"});
  for (int n = 0; n < 300; ++n) many.env["V" + std::to_string(n)] = "x";
  EXPECT_EQ(refused(many), ErrorCode::too_large);
  CommandRequest large = argv({"true"});
  large.env["V"] = std::string(200'000, 'x');
  EXPECT_EQ(refused(large), ErrorCode::too_large);
  CommandRequest long_time = argv({"true"});
  long_time.timeout = 1000h;
  EXPECT_EQ(commands_->begin(anna_, long_time).timeout(), 24h);
  EXPECT_EQ(commands_->begin(anna_, argv({"true"})).timeout(), 24h);
}

TEST_F(CommandsTest, so_many_run_at_once_and_a_place_is_free_again_after) {
  allow({.at_once = 3, .at_once_per_user = 2});
  Session bert = anna_;
  bert.user = "bert";
  bert.user_id = 2;
  {
    const RunningCommand first = commands_->begin(anna_, argv({"true"}));
    const RunningCommand second = commands_->begin(anna_, argv({"true"}));
    EXPECT_EQ(refused(argv({"true"})), ErrorCode::busy);
    const RunningCommand third = commands_->begin(bert, argv({"true"}));
    EXPECT_EQ(code_of([&] { static_cast<void>(commands_->begin(bert, argv({"true"}))); }), ErrorCode::busy);
  }
  EXPECT_EQ(refused(argv({"true"})), std::nullopt);
}

TEST_F(CommandsTest, each_command_is_written_down_with_its_end) {
  {
    RunningCommand running = commands_->begin(anna_, argv({"echo", "two words"}));
    running.started(42);
    running.ended("exit 0");
    const RunningCommand lost = commands_->begin(anna_, argv({"true"}));
  }
  anna_.role = Role::member;
  EXPECT_EQ(refused(argv({"true"})), ErrorCode::forbidden);
  const auto lines = store_->audit(10);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].action, "run");
  EXPECT_NE(lines[0].result.find("admins"), std::string::npos);
  EXPECT_EQ(lines[1].result, "abandoned");
  EXPECT_EQ(lines[2].result, "exit 0");
  EXPECT_EQ(lines[3].action, "run");
  EXPECT_EQ(lines[3].result, "42");
  EXPECT_NE(lines[3].object.find("two words"), std::string::npos);
}

}  // namespace
}  // namespace hawser::hub
