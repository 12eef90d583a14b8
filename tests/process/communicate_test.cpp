#include <hawser/process/popen.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/run_command.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class CommunicateInBoth : public InBoth {};
HAWSER_IN_BOTH(CommunicateInBoth);

TEST_P(CommunicateInBoth, sorts_through_a_child) {
  run_in(GetParam(), [] {
    Popen child({"sort"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    auto [out, err] = child.communicate("b\nc\na\n");
    EXPECT_EQ(out, "a\nb\nc\n");
    EXPECT_EQ(err, "");
    EXPECT_EQ(child.poll(), 0);
  });
}

TEST_P(CommunicateInBoth, never_deadlocks_on_full_pipes) {
  run_in(GetParam(), [] {
    const std::string text(3'000'000, 'x');
    Popen child(Command::shell("tee /dev/stderr"),
                {.stdin_ = Pipe::open, .stdout_ = Pipe::open, .stderr_ = Pipe::open});
    auto [out, err] = child.communicate(text);
    EXPECT_TRUE(out.view() == text);
    EXPECT_TRUE(err.view() == text);
  });
}

TEST_P(CommunicateInBoth, a_child_that_does_not_read_its_input_is_no_error) {
  run_in(GetParam(), [] {
    Popen child(Command::shell("exec 0<&-; echo done"), {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    EXPECT_EQ(child.communicate(std::string(1'000'000, 'x')).out, "done\n");
    EXPECT_EQ(child.poll(), 0);
  });
}

TEST_P(CommunicateInBoth, a_timeout_keeps_what_came_and_a_second_call_loses_nothing) {
  run_in(GetParam(), [] {
    const std::string text(500'000, 'x');
    auto [gate_read, gate_write] = make_pipe();
    Popen child(Command::shell("echo first; read line <&" + std::to_string(gate_read.get()) + "; cat"),
                {.stdin_ = Pipe::open, .stdout_ = Pipe::open, .keep_fds = {gate_read.get()}});
    BytesView input = text;
    std::string seen;
    while (seen.empty()) {
      try {
        child.communicate(std::exchange(input, {}), 20ms);
        FAIL() << "ended";
      } catch (const CommandTimedOut& timed_out) {
        seen = timed_out.output().out.str();
      }
    }
    EXPECT_EQ(seen, "first\n");
    EXPECT_THROW(child.communicate("more"), std::logic_error);
    PipeStream gate(std::move(gate_write), Direction::write, "gate");
    gate.write_all("go\n");
    EXPECT_TRUE(child.communicate().out.view() == "first\n" + text);
  });
}

TEST_P(CommunicateInBoth, without_time_it_takes_what_is_there) {
  run_in(GetParam(), [] {
    Popen ended(Command::shell("echo out; echo err >&2"), {.stdout_ = Pipe::open, .stderr_ = Pipe::open});
    ended.wait();
    auto [out, err] = ended.communicate({}, 0s);
    EXPECT_EQ(out, "out\n");
    EXPECT_EQ(err, "err\n");

    const std::string text(500'000, 'x');
    Popen child({"cat"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    BytesView input = text;
    for (;;) {
      try {
        EXPECT_TRUE(child.communicate(std::exchange(input, {}), 0s).out.view() == text);
        break;
      } catch (const CommandTimedOut& timed_out) {
        EXPECT_TRUE(text.starts_with(timed_out.output().out.view()));
        hawser::sleep(1ms);
      }
    }
  });
}

TEST_P(CommunicateInBoth, a_deadline_around_it_is_a_deadline) {
  run_in(GetParam(), [] {
    Popen child({"sleep", "100"}, {.stdout_ = Pipe::open});
    EXPECT_THROW(
        {
          Deadline budget(5ms);
          child.communicate({}, 100s);
        },
        DeadlineExceeded);
    EXPECT_EQ(child.poll(), std::nullopt);
  });
}

TEST_P(CommunicateInBoth, keeps_no_more_than_the_limit) {
  run_in(GetParam(), [] {
    const Completed done = run_command(Command::shell("head -c 5000000 /dev/zero; echo tail >&2"),
                                       {.capture = true, .output_limit = 1000});
    EXPECT_EQ(done.out.size(), 1000U);
    EXPECT_EQ(done.err, "tail\n");
    EXPECT_TRUE(done.truncated);
    EXPECT_EQ(done.return_code, 0);
  });
}

TEST(communicate, input_needs_a_pipe) {
  Popen child({"true"});
  EXPECT_THROW(child.communicate("text"), std::logic_error);
}

TEST(communicate, a_cancelled_call_loses_nothing) {
  run([] {
    Popen child(Command::shell("echo first; cat"), {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    auto asker = spawn([&] { child.communicate("", 100s); });
    yield();
    asker.kill();
    EXPECT_THROW(asker.get(), Cancelled);
    EXPECT_EQ(child.communicate().out, "first\n");
  });
}
