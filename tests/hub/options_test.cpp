#include "hub/options.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <hawser/base/errors.h>

namespace hawser::hub {
namespace {

class OptionsFile : public ::testing::Test {
 protected:
  OptionsFile() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-options-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~OptionsFile() override { std::filesystem::remove_all(folder_); }

  OptionsPatch read(const std::string& text) {
    std::ofstream(folder_ / "hub.toml") << text;
    return read_options_file(folder_ / "hub.toml");
  }
  std::string complaint(const std::string& text) {
    try {
      (void)read(text);
    } catch (const OptionsError& error) {
      return error.what();
    }
    return "taken";
  }

  std::filesystem::path folder_;
};

Options rooted() {
  Options options;
  options.root = "/srv/hub";
  return options;
}

TEST_F(OptionsFile, sets_what_it_names_and_leaves_the_rest) {
  Options options = rooted();
  apply(read("[hub]\nlisten = \"[::1]:80\"\nallow-run = \"none\"\nmax-connections = 7\ndrain-seconds = 0\n"
             "log-level = \"debug\"\nopen-registration = true\n"),
        options);
  EXPECT_EQ(options.listen, "[::1]:80");
  EXPECT_EQ(options.allow_run, AllowRun::none);
  EXPECT_EQ(options.max_connections, 7U);
  EXPECT_EQ(options.drain.count(), 0);
  EXPECT_EQ(options.log_level, LogLevel::debug);
  EXPECT_TRUE(options.open_registration);
  EXPECT_FALSE(options.plain);
  EXPECT_EQ(options.root, "/srv/hub");
}

TEST_F(OptionsFile, the_command_line_wins) {
  Options options = rooted();
  apply(read("[hub]\nlisten = \"127.0.0.1:1\"\nplain = true\n"), options);
  OptionsPatch typed;
  typed.listen = "127.0.0.1:2";
  apply(typed, options);
  EXPECT_EQ(options.listen, "127.0.0.1:2");
  EXPECT_TRUE(options.plain);
}

TEST_F(OptionsFile, what_is_wrong_is_named_with_its_line) {
  EXPECT_NE(complaint("[hub]\n\nplane = true\n").find(":3: plane"), std::string::npos);
  EXPECT_NE(complaint("[hub]\nplain = 1\n").find(":2: plain"), std::string::npos);
  EXPECT_NE(complaint("[hub]\nallow-run = \"all\"\n").find(":2: allow-run"), std::string::npos);
  EXPECT_NE(complaint("[hub]\nmax-connections = 0\n").find(":2: max-connections"), std::string::npos);
  EXPECT_NE(complaint("[hub]\nlisten = \n").find(":2: "), std::string::npos);
  EXPECT_NE(complaint("[club]\n").find("club"), std::string::npos);
}

TEST_F(OptionsFile, a_missing_file_is_named) {
  try {
    (void)read_options_file(folder_ / "none.toml");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_NE(std::string(error.what()).find("none.toml"), std::string::npos);
  }
}

TEST(options, plain_tcp_stays_on_loopback_unless_told_otherwise) {
  for (const char* listen : {"127.0.0.1:7700", "[::1]:7700", "localhost:7700"}) {
    Options options = rooted();
    options.plain = true;
    options.listen = listen;
    EXPECT_NO_THROW(check(options)) << listen;
  }
  for (const char* listen : {"0.0.0.0:7700", "[::]:7700", "192.168.1.1:7700", "example.org:7700"}) {
    Options options = rooted();
    options.plain = true;
    options.listen = listen;
    EXPECT_THROW(check(options), OptionsError) << listen;
    options.plain_anywhere = true;
    EXPECT_NO_THROW(check(options)) << listen;
  }
}

TEST(options, what_makes_no_sense_is_refused) {
  EXPECT_THROW(check({}), OptionsError) << "no root";
  for (const char* listen : {"", "127.0.0.1", "127.0.0.1:65536", ":1", "127.0.0.1:x"}) {
    Options options = rooted();
    options.listen = listen;
    EXPECT_THROW(check(options), OptionsError) << listen;
  }
}

}  // namespace
}  // namespace hawser::hub
