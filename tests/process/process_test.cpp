#include <hawser/process/process.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/popen.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class ProcessInBoth : public InBoth {};
HAWSER_IN_BOTH(ProcessInBoth);

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kKillRounds = 20;
#else
constexpr int kKillRounds = 200;
#endif

// A pipe that tells when every copy of its other end is closed, and what was written.
struct Told {
  Told() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe", "");
    from.reset(ends[0]);
    to.reset(ends[1]);
  }
  void say(const std::string& text) const { ASSERT_EQ(::write(to.get(), text.data(), text.size()), std::ssize(text)); }
  std::string hear_all() {
    to.reset();
    std::string all;
    char chunk[256];
    for (ssize_t got = 0; (got = ::read(from.get(), chunk, sizeof chunk)) > 0;) all.append(chunk, std::size_t(got));
    return all;
  }
  char hear() const {
    char one = 0;
    EXPECT_EQ(::read(from.get(), &one, 1), 1);
    return one;
  }
  UniqueFd from;
  UniqueFd to;
};

void sleep_for_ever() {
  for (;;) ::pause();
}

int run_to_code(std::function<void()> target) {
  Process child(std::move(target));
  child.start();
  EXPECT_TRUE(child.join());
  return *child.exit_code();
}

// A file that plain functions of other processes write to.
std::string told_file() { return ::testing::TempDir() + "told_" + std::to_string(::getpid()); }

std::string read_file(const std::string& path) {
  std::string text(1000, '\0');
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? std::size_t(got) : 0);
  return text;
}

int g_variable = 1;
struct Counted {
  Counted() { ++g_variable; }
};
const Counted g_counted;

void write_file(std::string path, int number, std::vector<std::string> words) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fprintf(file, "%d %zu %s %s %d %d", number, words.size(), words.at(0).c_str(), current_process().name.c_str(),
               g_variable, current_process().parent_pid);
  std::fclose(file);
}
void throw_it() { throw std::runtime_error("it is broken"); }
void exit_300() { std::exit(300); }

}  // namespace

TEST_P(ProcessInBoth, runs_a_function_with_arguments_in_another_process) {
  run_in(GetParam(), [] {
    Told told;
    Process child(
        [&](int number, const std::string& text) {
          told.say(text + std::to_string(number) + (::getpid() == getppid() ? "" : " elsewhere"));
        },
        20, std::string("n="), {.name = "counter"});
    EXPECT_EQ(child.name(), "counter");
    EXPECT_FALSE(child.pid());
    child.start();
    EXPECT_NE(child.pid(), ::getpid());
    EXPECT_TRUE(child.join());
    EXPECT_EQ(child.exit_code(), 0);
    EXPECT_EQ(told.hear_all(), "n=20 elsewhere");
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessInBoth, what_the_child_changes_the_parent_does_not_see) {
  run_in(GetParam(), [] {
    int number = 100;
    EXPECT_EQ(run_to_code([&] {
                number = 0;
                if (number != 0) throw std::logic_error("not even here");
              }),
              0);
    EXPECT_EQ(number, 100);
  });
}

TEST_P(ProcessInBoth, a_subclass_has_its_own_run) {
  struct Counter : Process {
    explicit Counter(int to) : Process({.name = "counter"}), fd(to) {}
    void run() override { EXPECT_EQ(::write(fd, "ran", 3), 3); }
    int fd;
  };
  run_in(GetParam(), [] {
    Told told;
    Counter counter(told.to.get());
    counter.start();
    counter.join();
    EXPECT_EQ(told.hear_all(), "ran");
  });
}

TEST_P(ProcessInBoth, has_no_exit_code_while_it_is_alive) {
  run_in(GetParam(), [] {
    Process child(&sleep_for_ever);
    EXPECT_FALSE(child.is_alive());
    EXPECT_FALSE(child.exit_code());
    child.start();
    EXPECT_TRUE(child.is_alive());
    EXPECT_FALSE(child.exit_code());
    EXPECT_FALSE(child.join(0s));
    EXPECT_FALSE(child.join(20ms));
    child.terminate();
    EXPECT_TRUE(child.join());
    EXPECT_FALSE(child.is_alive());
    EXPECT_EQ(child.exit_code(), -SIGTERM);
    EXPECT_TRUE(child.join(0s));
    child.kill();  // harmless
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessInBoth, exit_codes_are_as_in_python) {
  run_in(GetParam(), [] {
    EXPECT_EQ(run_to_code([] {}), 0);
    EXPECT_EQ(run_to_code([] { std::exit(300); }), 44);
    EXPECT_EQ(run_to_code([] { ::_exit(300); }), 44);
    EXPECT_EQ(run_to_code([] { ::_exit(3); }), 3);
    EXPECT_EQ(run_to_code([] { ::kill(::getpid(), SIGKILL); }), -SIGKILL);
    EXPECT_EQ(run_to_code([] {
                ::signal(SIGUSR1, SIG_DFL);
                ::raise(SIGUSR1);
              }),
              -SIGUSR1);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessInBoth, a_throw_is_1_with_its_message_on_standard_error) {
  run_in(GetParam(), [] {
    Told told;
    Process child(
        [&] {
          ::dup2(told.to.get(), STDERR_FILENO);
          throw std::runtime_error("it is broken");
        },
        {.name = "breaker"});
    child.start();
    child.join();
    EXPECT_EQ(child.exit_code(), 1);
    const std::string message = told.hear_all();
    EXPECT_NE(message.find("breaker"), std::string::npos) << message;
    EXPECT_NE(message.find("it is broken"), std::string::npos) << message;
  });
}

TEST_P(ProcessInBoth, what_it_printed_is_written_once) {
  run_in(GetParam(), [] {
    Told told;
    const UniqueFd before = duplicate(STDOUT_FILENO);
    std::fflush(stdout);
    ::dup2(told.to.get(), STDOUT_FILENO);
    std::printf("parent ");
    run_to_code([] { std::printf("child "); });
    std::fflush(stdout);
    ::dup2(before.get(), STDOUT_FILENO);
    EXPECT_EQ(told.hear_all(), "parent child ");
  });
}

TEST_P(ProcessInBoth, starting_twice_and_joining_too_early_are_errors) {
  run_in(GetParam(), [] {
    Process child([] {});
    EXPECT_THROW(child.join(), std::logic_error);
    EXPECT_THROW(child.terminate(), std::logic_error);
    EXPECT_THROW(static_cast<void>(child.sentinel()), std::logic_error);
    child.start();
    EXPECT_THROW(child.start(), std::logic_error);
    child.join();
    EXPECT_THROW(child.start(), std::logic_error);
  });
}

TEST_P(ProcessInBoth, only_the_parent_joins) {
  run_in(GetParam(), [] {
    Process first(&sleep_for_ever);
    first.start();
    EXPECT_EQ(run_to_code([&] {
                try {
                  first.join();
                } catch (const std::logic_error&) {
                  ::_exit(7);
                }
              }),
              7);
    first.kill();
    first.join();
  });
}

TEST_P(ProcessInBoth, its_sentinel_is_readable_at_the_end) {
  run_in(GetParam(), [] {
    Process child(&sleep_for_ever);
    child.start();
    pollfd one{.fd = child.sentinel(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&one, 1, 0), 0);
    child.kill();
    EXPECT_EQ(::poll(&one, 1, -1), 1);
    EXPECT_EQ(child.exit_code(), -SIGKILL);
  });
}

TEST_P(ProcessInBoth, knows_who_it_is) {
  run_in(GetParam(), [] {
    EXPECT_EQ(current_process().name, "main");
    EXPECT_EQ(current_process().pid, ::getpid());
    const pid_t parent = ::getpid();
    EXPECT_EQ(run_to_code([&] {
                const ProcessInfo own = current_process();
                if (own.pid != ::getpid() || own.parent_pid != parent) ::_exit(3);
                if (own.name.rfind("Process-", 0) != 0 || own.daemon) ::_exit(4);
                if (in_fiber()) ::_exit(5);
                if (!active_children().empty()) ::_exit(6);
              }),
              0);
  });
  EXPECT_GE(cpu_count(), 1U);
}

TEST_P(ProcessInBoth, active_children_are_those_that_run) {
  run_in(GetParam(), [] {
    EXPECT_TRUE(active_children().empty());
    Process first(&sleep_for_ever, {.name = "first"});
    Process second(&sleep_for_ever, {.name = "second", .daemon = true});
    first.start();
    second.start();
    auto children = active_children();
    ASSERT_EQ(children.size(), 2U);
    EXPECT_EQ(children[0].name, "first");
    EXPECT_EQ(children[1].pid, second.pid());
    EXPECT_TRUE(children[1].daemon);
    first.kill();
    pollfd one{.fd = first.sentinel(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&one, 1, -1), 1);
    children = active_children();
    ASSERT_EQ(children.size(), 1U);
    EXPECT_EQ(children[0].name, "second");
    EXPECT_EQ(first.exit_code(), -SIGKILL);
  });
  EXPECT_TRUE(active_children().empty());
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessInBoth, leaving_scope_waits_for_a_child) {
  run_in(GetParam(), [] {
    Told told;
    {
      Process child([&] {
        ::usleep(10'000);
        told.say("done");
      });
      child.start();
    }
    EXPECT_TRUE(no_children());
    EXPECT_EQ(told.hear_all(), "done");
  });
}

TEST_P(ProcessInBoth, leaving_scope_ends_a_daemon) {
  run_in(GetParam(), [] {
    {
      Process child(&sleep_for_ever, {.daemon = true});
      child.start();
    }
    EXPECT_TRUE(no_children());
  });
}

TEST_P(ProcessInBoth, a_daemon_that_ignores_sigterm_is_killed) {
  run_in(GetParam(), [] {
    Told told;
    Process child(
        [&] {
          ::signal(SIGTERM, SIG_IGN);
          told.say("!");
          sleep_for_ever();
        },
        {.daemon = true});
    child.start();
    EXPECT_EQ(told.hear(), '!');
  });
  EXPECT_TRUE(no_children());
}

#ifndef __SANITIZE_THREAD__  // ends a forked child that starts a thread, as starting a process does
// The parent is killed: nobody tells its children but the kernel.
TEST_P(ProcessInBoth, daemons_die_with_a_parent_that_is_killed) {
  run_in(GetParam(), [] {
    Told told;
    Process parent([&] {
      Process daemon(
          [&] {
            told.say("!");
            sleep_for_ever();
          },
          {.daemon = true});
      daemon.start();
      sleep_for_ever();
    });
    parent.start();
    EXPECT_EQ(told.hear(), '!');
    parent.kill();
    parent.join();
    EXPECT_EQ(told.hear_all(), "");  // ends when the last copy of the other end has gone
  });
}

TEST_P(ProcessInBoth, a_child_ends_its_daemons_and_waits_for_its_children) {
  run_in(GetParam(), [] {
    Told told;
    const int code = run_to_code([&] {
      auto* daemon = new Process(&sleep_for_ever, {.daemon = true});
      daemon->start();
      auto* child = new Process([&] {
        ::usleep(10'000);
        told.say("done");
      });
      child->start();
    });
    EXPECT_EQ(code, 0);
    EXPECT_EQ(told.hear_all(), "done");
  });
}
#endif

TEST_P(ProcessInBoth, the_parent_lets_go_of_what_the_child_was_given) {
  run_in(GetParam(), [] {
    Told told;
    Process child(
        [end = std::make_shared<UniqueFd>(std::move(told.to))] { EXPECT_EQ(::write(end->get(), "x", 1), 1); });
    child.start();
    EXPECT_EQ(told.hear_all(), "x");  // the end is seen, so no copy is left here
    child.join();
  });
}

TEST_P(ProcessInBoth, several_join_at_once) {
  run_in(GetParam(), [] {
    Process child(&sleep_for_ever);
    child.start();
    std::atomic<int> joined{0};
    if (in_fiber()) {
      std::vector<Task<void>> tasks;
      for (int i = 0; i < 5; ++i) tasks.push_back(spawn([&] { joined += child.join() ? 1 : 0; }));
      yield();
      child.kill();
      join_all(tasks);
    } else {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 5; ++i) threads.emplace_back([&] { joined += child.join() ? 1 : 0; });
      child.kill();
      threads.clear();
    }
    EXPECT_EQ(joined, 5);
  });
}

TEST(process, joining_lets_other_fibers_run_and_ends_by_deadline_and_cancellation) {
  run([] {
    Process child(&sleep_for_ever);
    child.start();
    EXPECT_THROW(
        {
          Deadline budget(10ms);
          child.join();
        },
        DeadlineExceeded);
    auto joiner = spawn([&] { child.join(); });
    yield();
    joiner.kill();
    EXPECT_THROW(joiner.get(), Cancelled);
    EXPECT_TRUE(child.is_alive());
    child.kill();
    EXPECT_TRUE(child.join(10s));
  });
}

TEST_P(ProcessInBoth, the_childs_function_may_run_a_loop_of_its_own) {
  run_in(GetParam(), [] {
    EXPECT_EQ(run_to_code([] {
                const int sum = run([] {
                  auto a = spawn([] { return 20; });
                  sleep(1ms);
                  return a.get() + 1;
                });
                ::_exit(sum);
              }),
              21);
  });
}

TEST_P(ProcessInBoth, signal_handlers_of_the_parent_are_not_the_childs) {
  run_in(GetParam(), [] {
    static std::atomic<int> handled{0};
    const auto before = ::signal(SIGTERM, [](int) { ++handled; });
    Process child(&sleep_for_ever);
    child.start();
    while (!child.exit_code()) child.terminate();
    EXPECT_EQ(child.exit_code(), -SIGTERM);
    EXPECT_EQ(handled, 0);
    ::signal(SIGTERM, before);
  });
}

TEST_P(ProcessInBoth, moving_a_process_moves_the_child) {
  run_in(GetParam(), [] {
    std::vector<Process> children;
    for (int i = 0; i < 5; ++i) children.emplace_back([](int code) { ::_exit(code); }, i);
    for (auto& child : children) child.start();
    for (int i = 0; i < 5; ++i) {
      children[std::size_t(i)].join();
      EXPECT_EQ(children[std::size_t(i)].exit_code(), i);
    }
  });
}

TEST_P(ProcessInBoth, afresh_the_arguments_cross_and_nothing_else) {
  run_in(GetParam(), [] {
    g_variable = 77;
    const std::string file = told_file();
    Process child(&write_file, file, 42, std::vector<std::string>{"one", "two"},
                  {.name = "fresh", .start = ProcessStart::afresh});
    child.start();
    EXPECT_TRUE(child.join());
    EXPECT_EQ(child.exit_code(), 0);
    EXPECT_EQ(read_file(file), "42 2 one fresh 2 " + std::to_string(::getpid()));
    std::remove(file.c_str());
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ProcessInBoth, afresh_exit_codes_are_the_same) {
  run_in(GetParam(), [] {
    Process thrown(&throw_it, {.start = ProcessStart::afresh});
    thrown.start();
    thrown.join();
    EXPECT_EQ(thrown.exit_code(), 1);
    Process exited(&exit_300, {.start = ProcessStart::afresh});
    exited.start();
    exited.join();
    EXPECT_EQ(exited.exit_code(), 44);
    Process killed(&sleep_for_ever, {.start = ProcessStart::afresh});
    killed.start();
    EXPECT_TRUE(killed.is_alive());
    killed.kill();
    killed.join();
    EXPECT_EQ(killed.exit_code(), -SIGKILL);
  });
}

TEST(process, afresh_needs_a_plain_function) {
  int captured = 1;
  Process child([captured] { ::_exit(captured); }, {.start = ProcessStart::afresh});
  EXPECT_THROW(child.start(), std::logic_error);
  EXPECT_FALSE(child.is_alive());
}

#ifndef __SANITIZE_ADDRESS__
// Other threads are in the allocator and in stdio all the time, other loops run.
TEST(process, forked_beside_busy_threads_and_loops_the_child_works) {
  std::atomic<bool> end{false};
  std::vector<std::jthread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([&] {
      while (!end) std::vector<std::string>(100, std::string(100, 'x')).clear();
    });
  }
  run(RunOptions{.loops = 2}, [&] {
    auto other = spawn_on(1, [&] {
      while (!end) sleep(1ms);
    });
    for (int round = 0; round < kKillRounds / 4; ++round) {
      EXPECT_EQ(run_to_code([&] {
                  const std::vector<std::string> some(100, std::string(50, 'y'));
                  ::_exit(static_cast<int>(some.size()));
                }),
                100);
    }
    end = true;
    other.join();
  });
}
#endif

TEST(process, afresh_beside_busy_threads_it_works) {
  std::atomic<bool> end{false};
  std::vector<std::jthread> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([&] {
      while (!end) std::vector<std::string>(100, std::string(100, 'x')).clear();
    });
  }
  for (int round = 0; round < 10; ++round) {
    Process child(&exit_300, {.start = ProcessStart::afresh});
    child.start();
    child.join();
    EXPECT_EQ(child.exit_code(), 44);
  }
  end = true;
}

TEST_P(ProcessInBoth, many_rounds_leave_no_zombie_and_no_descriptor) {
  run_in(GetParam(), [] {
    run_to_code([] {});
    const int before = open_descriptors();
    for (int round = 0; round < kKillRounds; ++round) {
      Process child(&sleep_for_ever);
      child.start();
      child.kill();
      child.join();
    }
    EXPECT_EQ(open_descriptors(), before);
  });
  EXPECT_TRUE(no_children());
}
