#include <hawser/process/run_pipeline.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/process/popen.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class PipelineInBoth : public InBoth {};
HAWSER_IN_BOTH(PipelineInBoth);

TEST_P(PipelineInBoth, each_reads_what_the_one_before_it_writes) {
  run_in(GetParam(), [] {
    const CompletedPipeline done = run_pipeline({{"cat"}, {"sort"}, {"uniq", "-c"}, {"tr", "-d", " "}},
                                                {.capture = true, .input = Bytes("b\na\nb\n"), .timeout = 60s});
    EXPECT_EQ(done.out, "1a\n2b\n");
    EXPECT_EQ(done.return_codes, (std::vector<int>{0, 0, 0, 0}));
    EXPECT_TRUE(done.ok());
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PipelineInBoth, more_than_all_pipes_hold_passes_through) {
  run_in(GetParam(), [] {
    const std::string text(5'000'000, 'x');
    const CompletedPipeline done =
        run_pipeline({{"cat"}, {"tee", "/dev/stderr"}, {"cat"}}, {.capture = true, .input = Bytes(text)});
    EXPECT_TRUE(done.out.view() == text);
    EXPECT_TRUE(done.err.view() == text);
  });
}

TEST_P(PipelineInBoth, one_that_stops_reading_ends_those_before_it) {
  run_in(GetParam(), [] {
    const CompletedPipeline done =
        run_pipeline({{"yes"}, {"head", "-n", "2"}}, {.capture = true, .timeout = 60s, .check = true});
    EXPECT_EQ(done.out, "y\ny\n");
    EXPECT_EQ(done.return_codes, (std::vector<int>{-SIGPIPE, 0}));
    const CompletedPipeline input_unread =
        run_pipeline({{"cat"}, {"true"}}, {.capture = true, .input = Bytes(std::string(1'000'000, 'x'))});
    EXPECT_EQ(input_unread.return_codes.back(), 0);
  });
}

TEST_P(PipelineInBoth, check_tells_who_failed_and_what_they_wrote) {
  run_in(GetParam(), [] {
    try {
      run_pipeline({Command::shell("echo why >&2; exit 3"), {"cat"}}, {.capture = true, .check = true});
      FAIL();
    } catch (const PipelineFailed& failed) {
      EXPECT_STREQ(failed.what(), "/bin/sh -c 'echo why >&2; exit 3' | cat: exit 3, exit 0");
      EXPECT_EQ(failed.completed().err, "why\n");
    }
  });
}

TEST_P(PipelineInBoth, a_timeout_ends_all_and_keeps_the_output) {
  run_in(GetParam(), [] {
    try {
      run_pipeline({Command::shell("echo early; exec sleep 100"), {"cat"}}, {.capture = true, .timeout = 300ms});
      FAIL();
    } catch (const CommandTimedOut& late) {
      EXPECT_EQ(late.output().out, "early\n");
    }
    try {  // the last has ended, the first has not
      run_pipeline({Command::shell("echo early >&2; exec sleep 100 >&- 2>&-"), {"cat"}},
                   {.capture = true, .timeout = 300ms});
      FAIL();
    } catch (const CommandTimedOut& late) {
      EXPECT_EQ(late.output().err, "early\n");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PipelineInBoth, a_deadline_around_it_ends_all) {
  run_in(GetParam(), [] {
    EXPECT_THROW(
        {
          Deadline budget(20ms);
          run_pipeline({{"sleep", "100"}, {"cat"}}, {.capture = true});
        },
        DeadlineExceeded);
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PipelineInBoth, one_that_is_not_there_is_named_and_nothing_stays) {
  run_in(GetParam(), [] {
    const int before = open_descriptors();
    try {
      run_pipeline({{"cat"}, {"no-such-program-here"}}, {.capture = true, .input = Bytes("x")});
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.object(), "no-such-program-here");
    }
    EXPECT_TRUE(no_children());
    yield();
    EXPECT_LE(open_descriptors(), before + (in_fiber() ? 3 : 0));  // a loop has its own
  });
}

TEST(pipeline, may_be_of_one_and_not_of_none) {
  EXPECT_EQ(run_pipeline({{"cat"}}, {.capture = true, .input = Bytes("text")}).out, "text");
  EXPECT_THROW(run_pipeline({}), std::invalid_argument);
}

TEST_P(PipelineInBoth, two_children_can_be_connected_by_hand) {
  run_in(GetParam(), [] {
    Popen first({"yes"}, {.stdout_ = Pipe::open});
    Popen second({"head", "-n", "3"}, {.stdin_ = Pipe::to(first.output()), .stdout_ = Pipe::open});
    EXPECT_TRUE(first.output().closed());
    EXPECT_EQ(second.communicate().out, "y\ny\ny\n");
    EXPECT_EQ(first.wait(), -SIGPIPE);
    EXPECT_EQ(second.wait(), 0);
  });
}

TEST_P(PipelineInBoth, the_later_one_may_be_started_first) {
  run_in(GetParam(), [] {
    Popen reader({"sort"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    Popen writer(Command::shell("echo b; echo a"), {.stdout_ = Pipe::to(reader.input())});
    EXPECT_EQ(reader.communicate().out, "a\nb\n");
  });
}

TEST(pipeline, a_stream_that_could_not_be_handed_over_is_as_it_was) {
  Popen first(Command::shell("echo text"), {.stdout_ = Pipe::open});
  EXPECT_THROW(Popen({"no-such-program-here"}, {.stdin_ = Pipe::to(first.output())}), SystemError);
  EXPECT_EQ(first.communicate().out, "text\n");
  EXPECT_THROW(Popen({"cat"}, {.stdin_ = Pipe::to(first.output())}), SocketClosed);
  Popen third({"cat"}, {.stdin_ = Pipe::open});
  EXPECT_THROW(Popen({"cat"}, {.stdin_ = Pipe::to(third.input())}), std::logic_error);
}
