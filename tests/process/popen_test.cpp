#include <hawser/process/popen.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/run_command.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class PopenInBoth : public InBoth {};
HAWSER_IN_BOTH(PopenInBoth);

namespace {

std::string read_all(PipeStream& from) {
  std::string text;
  std::byte chunk[4096];
  while (const auto got = from.read_some(chunk)) text += BytesView(std::span<const std::byte>(chunk)).first(got).text();
  return text;
}

std::string read_line(PipeStream& from) {
  std::string line;
  std::byte c;
  while (from.read_some({&c, 1}) == 1 && static_cast<char>(c) != '\n') line += static_cast<char>(c);
  return line;
}

}  // namespace

TEST_P(PopenInBoth, its_streams_are_pipes) {
  run_in(GetParam(), [] {
    Popen child({"cat"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    child.input().write_all("hello\n");
    EXPECT_EQ(read_line(child.output()), "hello");
    child.input().close();
    EXPECT_EQ(read_all(child.output()), "");
    EXPECT_EQ(child.wait(), 0);
    EXPECT_THROW(static_cast<void>(child.errors()), std::logic_error);
  });
}

TEST_P(PopenInBoth, the_return_code_is_minus_the_signal) {
  run_in(GetParam(), [] {
    Popen exits(Command::shell("exit 7"));
    EXPECT_EQ(exits.wait(), 7);
    Popen sleeps({"sleep", "100"});
    EXPECT_EQ(sleeps.poll(), std::nullopt);
    sleeps.terminate();
    EXPECT_EQ(sleeps.wait(), -SIGTERM);
    EXPECT_EQ(sleeps.poll(), -SIGTERM);
  });
}

TEST_P(PopenInBoth, poll_wait_and_kill_after_the_end_are_harmless) {
  run_in(GetParam(), [] {
    Popen child({"true"});
    EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(child.wait(0s), 0);
    EXPECT_EQ(child.poll(), 0);
    child.kill();
    child.terminate();
    child.signal_group(SIGHUP);
    EXPECT_EQ(child.stop(0s), 0);
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PopenInBoth, wait_gives_up_in_time_and_leaves_the_child_running) {
  run_in(GetParam(), [] {
    Popen child({"sleep", "100"});
    EXPECT_THROW(child.wait(1ms), TimedOut);
    EXPECT_THROW(child.wait(0s), TimedOut);
    EXPECT_THROW(
        {
          Deadline budget(1ms);
          child.wait();
        },
        DeadlineExceeded);
    EXPECT_EQ(child.poll(), std::nullopt);
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
  });
}

TEST_P(PopenInBoth, a_program_that_is_not_there_is_named) {
  run_in(GetParam(), [] {
    try {
      // A PATH of its own: one with a directory that we may not enter makes it EACCES, as for execvp(3).
      Popen child({"no-such-program-here", "x"}, {.add_env = {{"PATH", "/usr/bin:/bin"}}});
      FAIL() << "started";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ENOENT);
      EXPECT_EQ(error.object(), "no-such-program-here");
    }
    try {
      Popen child({"/etc/passwd"});
      FAIL() << "started";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EACCES);
      EXPECT_EQ(error.object(), "/etc/passwd");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PopenInBoth, a_directory_that_is_not_there_is_named) {
  run_in(GetParam(), [] {
    try {
      Popen child({"true"}, {.cwd = "/no/such/directory"});
      FAIL() << "started";
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ENOENT);
      EXPECT_EQ(error.object(), "/no/such/directory");
    }
    EXPECT_TRUE(no_children());
  });
}

TEST(popen, refuses_what_can_not_be_passed_on) {
  EXPECT_THROW(Popen(Command(std::vector<std::string>{})), std::invalid_argument);
  EXPECT_THROW(Popen({""}), std::invalid_argument);
  EXPECT_THROW(Popen({"echo", std::string("a\0b", 3)}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.cwd = std::string("/\0", 2)}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.add_env = {{"A=B", "1"}}}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.add_env = {{"A", std::string("\0", 1)}}}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.stdout_ = Pipe::merged}), std::invalid_argument);
}

TEST(popen, starts_in_the_directory_by_path_or_descriptor) {
  EXPECT_EQ(run_command({"pwd"}, {.capture = true, .cwd = "/usr"}).out, "/usr\n");
  UniqueFd usr(::open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(usr);
  EXPECT_EQ(run_command({"/bin/pwd"}, {.capture = true, .cwd_fd = usr.get()}).out, "/usr\n");
  EXPECT_EQ(run_command({"/bin/pwd"}, {.capture = true, .cwd = "bin", .cwd_fd = usr.get()}).out, "/usr/bin\n");
}

TEST(popen, the_environment_is_replaced_or_added_to) {
  ::setenv("HAWSER_TEST_A", "old", 1);
  EXPECT_EQ(run_command({"/usr/bin/env"}, {.capture = true, .env = Environment{{"ONLY", "this"}}}).out, "ONLY=this\n");
  const auto text = Command::shell("echo $HAWSER_TEST_A $HAWSER_TEST_B");
  EXPECT_EQ(run_command(text, {.capture = true, .add_env = {{"HAWSER_TEST_B", "two"}}}).out, "old two\n");
  EXPECT_EQ(run_command(text, {.capture = true, .add_env = {{"HAWSER_TEST_A", "new"}}}).out, "new\n");
  ::unsetenv("HAWSER_TEST_A");
}

TEST(popen, streams_may_be_null_a_descriptor_or_merged) {
  auto [from, to] = make_pipe();
  {
    Popen child(Command::shell("cat; echo out; echo err >&2"),
                {.stdin_ = Pipe::null, .stdout_ = Pipe::to(to.get()), .stderr_ = Pipe::merged});
    EXPECT_EQ(child.wait(), 0);
  }
  to.reset();
  PipeStream reader(std::move(from), Direction::read, "pipe");
  EXPECT_EQ(read_all(reader), "out\nerr\n");
}

TEST(popen, standard_streams_may_change_places) {
  // Standard output goes where the error pipe is numbered, and the other way round.
  const Completed done = run_command(Command::shell("(echo out; echo err >&2) 3>&1 1>&2 2>&3"), {.capture = true});
  EXPECT_EQ(done.out, "err\n");
  EXPECT_EQ(done.err, "out\n");
  auto [from, to] = make_pipe();
  const UniqueFd saved = duplicate(STDERR_FILENO);
  ASSERT_EQ(::dup2(to.get(), STDERR_FILENO), STDERR_FILENO);
  {
    Popen child(Command::shell("echo moved"), {.stdout_ = Pipe::to(STDERR_FILENO), .stderr_ = Pipe::null});
    EXPECT_EQ(child.wait(), 0);
  }
  ::dup2(saved.get(), STDERR_FILENO);
  to.reset();
  PipeStream reader(std::move(from), Direction::read, "pipe");
  EXPECT_EQ(read_all(reader), "moved\n");
}

TEST_P(PopenInBoth, the_child_has_no_descriptors_but_those_named) {
  run_in(GetParam(), [] {
    const UniqueFd leaky(::open("/dev/null", O_RDONLY));
    const UniqueFd kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(leaky && kept);
    Popen child({"ls", "/proc/self/fd"}, {.stdout_ = Pipe::open, .keep_fds = {kept.get()}});
    // The one more is the directory that ls reads.
    const std::string all = child.communicate().out.str();
    const std::string name = std::to_string(kept.get());
    EXPECT_EQ(all.substr(0, 6), "0\n1\n2\n");
    EXPECT_NE(all.find("\n" + name + "\n"), std::string::npos) << all;
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 5) << all;
  });
}

TEST_P(PopenInBoth, descriptors_may_have_other_numbers_in_the_child) {
  run_in(GetParam(), [] {
    auto [one_from, one_to] = make_pipe();
    auto [two_from, two_to] = make_pipe();
    const int a = one_to.get();
    const int b = two_to.get();
    // Each gets the other's number, and the first one 150, too.
    // bash, for other shells want numbers of one digit.
    Popen child({"bash", "-c",
                 "echo to-a >&" + std::to_string(b) + "; echo to-b >&" + std::to_string(a) +
                     "; echo by-another >&150; ls /proc/self/fd | sort -n | tr '\\n' ' '"},
                {.stdout_ = Pipe::open, .map_fds = {{a, b}, {b, a}, {150, a}}});
    one_to.reset();
    two_to.reset();
    std::string numbers = "0 1 2 ";
    std::set<int> open = {a, b, 150};
    for (int free = 3; open.size() < 4; ++free) open.insert(free);  // the directory that ls reads
    for (const int fd : open) numbers += std::to_string(fd) + " ";
    EXPECT_EQ(child.communicate().out.str(), numbers);
    PipeStream from_a(std::move(one_from), Direction::read, "a");
    PipeStream from_b(std::move(two_from), Direction::read, "b");
    EXPECT_EQ(read_all(from_a), "to-a\nby-another\n");
    EXPECT_EQ(read_all(from_b), "to-b\n");
  });
}

TEST(popen, a_stream_to_what_was_closed_is_refused_and_not_inherited) {
  auto [read_end, write_end] = make_pipe();
  write_end.reset();
  EXPECT_THROW(Popen({"true"}, {.stdout_ = Pipe::to(write_end.get())}), std::invalid_argument);
  EXPECT_TRUE(no_children());
}

TEST(popen, a_descriptor_that_is_not_open_is_named) {
  for (const bool mapped : {false, true}) {
    try {
      if (mapped) {
        Popen child({"true"}, {.map_fds = {{3, 987}}});
      } else {
        Popen child({"true"}, {.keep_fds = {987}});
      }
      FAIL() << "started";
    } catch (const SystemError& error) {
      EXPECT_EQ(std::string(error.what()), "pass descriptor 987 to true: Bad file descriptor");
    }
  }
  EXPECT_THROW(Popen({"true"}, {.keep_fds = {-1}}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.map_fds = {{1, 5}}}), std::invalid_argument);
  EXPECT_THROW(Popen({"true"}, {.keep_fds = {5}, .map_fds = {{5, 6}}}), std::invalid_argument);
  EXPECT_TRUE(no_children());
}

TEST(popen, running_out_of_descriptors_is_an_error_and_leaves_nothing) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  { Popen warm_up({"true"}, {.stdout_ = Pipe::open}); }
  const int open_before = open_descriptors();
  rlimit small = before;
  small.rlim_cur = 64;
  ::setrlimit(RLIMIT_NOFILE, &small);
  {
    std::vector<Popen> children;
    try {
      for (;;) children.emplace_back(Command{"cat"}, PopenOptions{.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EMFILE);
    }
    EXPECT_GT(children.size(), 5U);
    children.pop_back();
    Popen one_more({"true"}, {.stdin_ = Pipe::null});
    EXPECT_EQ(one_more.wait(), 0);
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(no_children());
  EXPECT_EQ(open_descriptors(), open_before);
}

TEST_P(PopenInBoth, a_thousand_come_and_go_and_nothing_is_left) {
  run_in(GetParam(), [] {
    { Popen warm_up({"true"}, {.stdout_ = Pipe::open}); }
    const int before = open_descriptors();
    for (int i = 0; i < kRounds; ++i) {
      Popen child({"true"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open, .stderr_ = Pipe::open});
      if (i % 3 == 0) {
        EXPECT_EQ(child.wait(), 0);
      } else if (i % 3 == 1) {
        EXPECT_EQ(child.communicate().out, "");
      }
    }
    EXPECT_TRUE(no_children());
    yield();
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST_P(PopenInBoth, kills_and_waits_from_everywhere_meet_the_end_at_any_moment) {
  run_in(GetParam(), [] {
    for (int round = 0; round < kRounds / 10; ++round) {
      Popen child({"cat"}, {.stdin_ = Pipe::open, .group = round % 2 ? ProcessGroup::own : ProcessGroup::shared});
      std::atomic<int> told = 0;
      std::vector<std::thread> threads;
      for (int i = 0; i < 2; ++i) threads.emplace_back([&] { told += child.wait(); });
      threads.emplace_back([&] { child.kill(); });
      std::vector<Task<void>> fibers;
      for (int i = 0; in_fiber() && i < 2; ++i) fibers.push_back(spawn([&] { told += child.wait(); }));
      if (in_fiber()) fibers.push_back(spawn([&] { child.signal_group(SIGKILL); }));
      for (int i = 0; i < round % 4; ++i) static_cast<void>(child.poll());
      EXPECT_EQ(child.wait(), -SIGKILL);
      for (auto& fiber : fibers) fiber.get();
      for (auto& thread : threads) thread.join();
      EXPECT_EQ(told, -SIGKILL * (in_fiber() ? 4 : 2));
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(PopenInBoth, a_timeout_and_an_end_at_the_same_moment_are_one_or_the_other) {
  run_in(GetParam(), [] {
    int ended = 0;
    for (int round = 0; round < kRounds / 5; ++round) {
      Popen child({"echo", "text"}, {.stdout_ = Pipe::open});
      std::string out;
      try {
        out = child.communicate({}, std::chrono::microseconds(200 + 10 * (round % 100))).out.str();
        ++ended;
      } catch (const CommandTimedOut& late) {
        out = child.communicate().out.str();
        EXPECT_EQ(out.substr(0, late.output().out.size()), late.output().out.str());
      }
      EXPECT_EQ(out, "text\n");
      EXPECT_EQ(child.poll(), 0);
    }
    EXPECT_TRUE(no_children());
  });
}

TEST(popen, signals_are_as_at_the_start_of_a_program) {
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  const std::string status = run_command({"cat", "/proc/self/status"}, {.capture = true}).out.str();
  ::signal(SIGPIPE, old == SIG_ERR ? SIG_DFL : old);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (const char* line : {"SigBlk:", "SigIgn:", "SigCgt:"}) {
    EXPECT_NE(status.find(std::string(line) + "\t0000000000000000\n"), std::string::npos) << status;
  }
}

TEST(popen, our_own_signal_mask_is_as_before) {
  sigset_t mask;
  sigset_t before;
  sigset_t after;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  run_command({"true"});
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(sigismember(&after, SIGUSR2), 1);
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

TEST_P(PopenInBoth, several_waiters_all_get_the_result) {
  run_in(GetParam(), [] {
    Popen child({"cat"}, {.stdin_ = Pipe::open});
    std::atomic<int> told = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { told += child.wait(); });
    std::vector<Task<void>> fibers;
    for (int i = 0; in_fiber() && i < 3; ++i) fibers.push_back(spawn([&] { told += child.wait(); }));
    yield();
    child.send_signal(SIGHUP);
    EXPECT_EQ(child.wait(), -SIGHUP);
    for (auto& fiber : fibers) fiber.get();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(told, -SIGHUP * static_cast<int>(3 + fibers.size()));
  });
}

TEST(popen, a_cancelled_waiter_leaves_the_others_waiting) {
  run([] {
    Popen child({"cat"}, {.stdin_ = Pipe::open});
    auto first = spawn([&] { return child.wait(); });
    auto second = spawn([&] { return child.wait(); });
    yield();
    first.kill();
    EXPECT_THROW(first.get(), Cancelled);
    child.input().close();
    EXPECT_EQ(second.get(), 0);
  });
}

TEST_P(PopenInBoth, the_whole_group_can_be_killed) {
  run_in(GetParam(), [] {
    Popen child(Command::shell("sleep 100 & echo $!; wait"), {.stdout_ = Pipe::open, .group = ProcessGroup::own});
    const int grandchild = std::stoi(read_line(child.output()));
    child.signal_group(SIGKILL);
    EXPECT_EQ(child.wait(), -SIGKILL);
    EXPECT_EQ(read_all(child.output()), "");  // the grandchild held the pipe, too
    while (is_running(grandchild)) yield();
  });
}

TEST_P(PopenInBoth, the_group_is_reached_after_the_child_has_ended) {
  run_in(GetParam(), [] {
    Popen child(Command::shell("sleep 100 & echo $!"), {.stdout_ = Pipe::open, .group = ProcessGroup::session});
    const int grandchild = std::stoi(read_line(child.output()));
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(is_running(grandchild));
    child.signal_group(SIGKILL);
    EXPECT_EQ(read_all(child.output()), "");
  });
}

TEST_P(PopenInBoth, stop_is_gentle_first_and_then_not) {
  run_in(GetParam(), [] {
    Popen polite({"sleep", "100"});
    EXPECT_EQ(polite.stop(100s), -SIGTERM);
    Popen deaf(Command::shell("trap '' TERM; echo; while :; do sleep 0.01; done"),
               {.stdout_ = Pipe::open, .group = ProcessGroup::own});
    read_line(deaf.output());
    EXPECT_EQ(deaf.stop(1ms), -SIGKILL);
  });
}

TEST(popen, stop_goes_through_with_it_when_cancelled) {
  run([] {
    Popen deaf(Command::shell("trap '' TERM; echo; while :; do sleep 0.01; done"),
               {.stdout_ = Pipe::open, .group = ProcessGroup::own});
    read_line(deaf.output());
    auto stopper = spawn([&] { deaf.stop(100s); });
    yield();
    stopper.kill();
    EXPECT_THROW(stopper.get(), Cancelled);
    EXPECT_EQ(deaf.poll(), -SIGKILL);
  });
}

TEST_P(PopenInBoth, leaving_scope_ends_the_child_and_leaves_nothing) {
  run_in(GetParam(), [] {
    { Popen warm_up({"true"}, {.stdout_ = Pipe::open}); }
    const int before = open_descriptors();
    pid_t pid = 0;
    {
      Popen child({"sleep", "100"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open, .stderr_ = Pipe::open});
      Popen moved = std::move(child);
      pid = moved.pid();
    }
    EXPECT_FALSE(is_running(pid));
    EXPECT_TRUE(no_children());
    yield();  // the loop lets go of closed descriptors
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(popen, leaving_scope_past_a_deadline_or_cancelled_still_ends_the_child) {
  run([] {
    auto task = spawn([] {
      Popen child({"sleep", "100"});
      sleep(100s);
    });
    yield();
    task.kill();
    EXPECT_THROW(task.get(), Cancelled);
    {
      Deadline budget(20ms);
      Popen child({"sleep", "100"});
      EXPECT_THROW(sleep(100s), DeadlineExceeded);
    }
    EXPECT_TRUE(no_children());
  });
}

TEST(popen, many_fibers_start_children_at_once) {
  run([] {
    std::vector<Task<Completed>> tasks;
    for (int i = 0; i < 40; ++i) {
      tasks.push_back(spawn([i] { return run_command({"echo", std::to_string(i)}, {.capture = true}); }));
    }
    for (int i = 0; i < 40; ++i)
      EXPECT_EQ(tasks[static_cast<std::size_t>(i)].get().out.str(), std::to_string(i) + "\n");
    EXPECT_TRUE(no_children());
  });
}

TEST(popen, killing_the_starter_at_any_moment_leaves_no_child) {
  run([] {
    for (int round = 0; round < 100; ++round) {
      auto starter = spawn([] { run_command({"cat"}, {.capture = true, .input = Bytes("x")}); });
      sleep(std::chrono::microseconds(round * 20));
      starter.kill();
      starter.join();
    }
    EXPECT_TRUE(no_children());
  });
}

TEST(command, is_shown_as_a_shell_would_need_it) {
  EXPECT_EQ(Command({"ls", "-l", "my file", "it's", ""}).text(), R"(ls -l 'my file' 'it'\''s' '')");
}
