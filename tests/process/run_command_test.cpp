#include <hawser/process/run_command.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class RunCommandInBoth : public InBoth {};
HAWSER_IN_BOTH(RunCommandInBoth);

TEST_P(RunCommandInBoth, gives_output_and_return_code) {
  run_in(GetParam(), [] {
    const Completed done =
        run_command(Command::shell("echo out; echo err >&2; exit 3"), {.capture = true, .timeout = 10s});
    EXPECT_EQ(done.out, "out\n");
    EXPECT_EQ(done.err, "err\n");
    EXPECT_EQ(done.return_code, 3);
    EXPECT_FALSE(done.ok());
    EXPECT_FALSE(done.truncated);
  });
}

TEST_P(RunCommandInBoth, input_is_given_or_empty) {
  run_in(GetParam(), [] {
    EXPECT_EQ(run_command({"cat"}, {.capture = true, .input = Bytes("text")}).out, "text");
    EXPECT_EQ(run_command({"cat"}, {.capture = true}).out, "");
  });
}

TEST_P(RunCommandInBoth, a_timeout_ends_the_command_and_keeps_its_output) {
  run_in(GetParam(), [] {
    try {
      run_command(Command::shell("echo early; exec sleep 100"), {.capture = true, .timeout = 200ms});
      FAIL() << "ended";
    } catch (const CommandTimedOut& timed_out) {
      EXPECT_EQ(timed_out.output().out, "early\n");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(RunCommandInBoth, a_grandchild_that_holds_the_pipe_does_not_hang_a_timeout) {
  run_in(GetParam(), [] {
    try {
      run_command(Command::shell("sleep 3 & echo left behind"), {.capture = true, .timeout = 200ms});
      FAIL() << "ended";
    } catch (const CommandTimedOut& timed_out) {
      EXPECT_EQ(timed_out.output().out, "left behind\n");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(RunCommandInBoth, a_deadline_around_it_ends_the_command) {
  run_in(GetParam(), [] {
    EXPECT_THROW(
        {
          Deadline budget(20ms);
          run_command({"sleep", "100"}, {.capture = true});
        },
        DeadlineExceeded);
    EXPECT_TRUE(no_children());
  });
}

TEST(run_command, check_throws_with_the_command_and_how_it_ended) {
  try {
    run_command(Command::shell("echo why >&2; exit 2"), {.capture = true, .check = true});
    FAIL();
  } catch (const CommandFailed& failed) {
    EXPECT_STREQ(failed.what(), "/bin/sh -c 'echo why >&2; exit 2': exit 2");
    EXPECT_EQ(failed.completed().err, "why\n");
  }
  try {
    run_command(Command::shell("kill -9 $$"), {.check = true});
    FAIL();
  } catch (const CommandFailed& failed) {
    EXPECT_EQ(std::string(failed.what()), "/bin/sh -c 'kill -9 $$': SIGKILL");
    EXPECT_EQ(failed.completed().return_code, -SIGKILL);
  }
}

TEST(run_command, standard_error_may_be_merged) {
  const Completed done =
      run_command(Command::shell("echo out; echo err >&2"), {.capture = true, .stderr_ = Pipe::merged});
  EXPECT_EQ(done.out, "out\nerr\n");
  EXPECT_EQ(done.err, "");
}

namespace {

struct Folder {
  Folder() {
    std::string name = "/tmp/run_command_test.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_P(RunCommandInBoth, streams_may_be_files) {
  run_in(GetParam(), [] {
    const Folder folder;
    const std::string file = folder.path + "/file";
    run_command({"echo", "one"}, {.check = true, .stdout_ = Pipe::to_file(file)});
    run_command({"echo", "two"}, {.stdout_ = Pipe::to_file(file)});
    run_command(Command::shell("echo three; echo four >&2"),
                {.stdout_ = Pipe::append_to_file(file), .stderr_ = Pipe::merged});
    const Completed done = run_command({"cat"}, {.capture = true, .stdin_ = Pipe::from_file(file)});
    EXPECT_EQ(done.out, "two\nthree\nfour\n");
    const Completed half =
        run_command(Command::shell("echo out; echo err >&2"), {.capture = true, .stderr_ = Pipe::to_file(file)});
    EXPECT_EQ(half.out, "out\n");
    EXPECT_EQ(half.err, "");
    EXPECT_EQ(run_command({"cat", file}, {.capture = true}).out, "err\n");
  });
}

TEST_P(RunCommandInBoth, a_file_that_can_not_be_opened_is_named) {
  run_in(GetParam(), [] {
    try {
      run_command({"cat"}, {.stdin_ = Pipe::from_file("/no/such/file")});
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(std::string(error.what()), "open /no/such/file: No such file or directory");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST(run_command, refuses_what_contradicts_itself) {
  EXPECT_THROW(run_command({"cat"}, {.input = Bytes("x"), .stdin_ = Pipe::from_file("/dev/null")}),
               std::invalid_argument);
  EXPECT_THROW(run_command({"cat"}, {.stdin_ = Pipe::open}), std::invalid_argument);
  EXPECT_THROW(Pipe::from_file(""), std::invalid_argument);
  EXPECT_THROW(Pipe::to_file(std::string("a\0b", 3)), std::invalid_argument);
}

TEST(run_command, a_negative_timeout_is_an_argument_error) {
  EXPECT_THROW(run_command({"true"}, {.timeout = -1s}), std::invalid_argument);
  EXPECT_TRUE(no_children());
}
