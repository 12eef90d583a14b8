// Signals that the kernel does not let through to children, and children that it does not let be made or watched.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

#include <hawser/process/popen.h>
#include <hawser/process/process.h>
#include <hawser/process/process_pool.h>
#include <hawser/process/pty.h>

#include "weather.h"

namespace hawser {
namespace {

using namespace testing;

class ChildFaults : public Weather {};
HAWSER_IN_BOTH_CONTEXTS(ChildFaults);

void sleep_long() { ::sleep(600); }
int seven() { return 7; }

bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

// What is said when each such call fails.
template <class Body>
std::string words_of(SystemCall call, int error, Body&& body) {
  const FaultInjection faults({{call, error, 1.0}});
  std::string said;
  try {
    body();
  } catch (const SystemError& thrown) {
    EXPECT_EQ(thrown.error_number(), error);
    said = thrown.what();
  }
  EXPECT_GT(faults.struck(), 0U);
  return said;
}

TEST_P(ChildFaults, a_signal_that_is_refused_is_an_error_and_one_that_comes_too_late_is_none) {
  in_place([] {
    Popen command({"sleep", "600"});
    Process process(&sleep_long, {.name = "sleeper"});
    process.start();
    constexpr SystemCall kSend = SystemCall::pidfd_send_signal;
    EXPECT_EQ(words_of(kSend, EPERM, [&] { command.terminate(); }), "signal sleep: Operation not permitted");
    EXPECT_EQ(words_of(kSend, EPERM, [&] { process.terminate(); }), "signal sleeper: Operation not permitted");
    EXPECT_EQ(words_of(kSend, ESRCH, [&] { command.kill(); }), "");
    EXPECT_EQ(words_of(kSend, ESRCH, [&] { process.kill(); }), "");
    EXPECT_FALSE(command.poll());
    EXPECT_TRUE(process.is_alive());
    command.kill();
    process.terminate();
    EXPECT_EQ(command.wait(), -SIGKILL);
    EXPECT_TRUE(process.join());
    EXPECT_EQ(process.exit_code(), -SIGTERM);
    const FaultInjection faults({{kSend, EPERM, 1.0}});
    command.kill();  // it has ended: nobody is asked
    process.kill();
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ChildFaults, a_group_that_cannot_be_signalled_is_an_error) {
  in_place([] {
    Popen command({"sleep", "600"}, {.group = ProcessGroup::own});
    EXPECT_EQ(words_of(SystemCall::kill, EPERM, [&] { command.signal_group(SIGTERM); }),
              "signal the group of sleep: Operation not permitted");
    EXPECT_EQ(words_of(SystemCall::kill, EPERM, [&] { command.stop(1s); }),
              "signal the group of sleep: Operation not permitted");
    EXPECT_EQ(words_of(SystemCall::kill, ESRCH, [&] { command.signal_group(SIGTERM); }), "");
    EXPECT_EQ(command.stop(1h), -SIGTERM);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ChildFaults, a_command_goes_also_where_its_group_cannot_be_signalled) {
  in_place([] {
    std::optional<Popen> command(std::in_place, Command{"sleep", "600"}, PopenOptions{.group = ProcessGroup::own});
    EXPECT_EQ(words_of(SystemCall::kill, EPERM, [&] { command.reset(); }), "");
  });
  EXPECT_TRUE(no_children());
}

// SIGTERM did not reach it: SIGKILL does.
TEST_P(ChildFaults, a_daemon_that_cannot_be_asked_is_ended) {
  in_place([] {
    std::optional<Process> process(std::in_place, &sleep_long, ProcessOptions{.daemon = true});
    process->start();
    const FaultInjection faults({{.call = SystemCall::pidfd_send_signal, .error = EPERM, .nth = 1}});
    process.reset();
    EXPECT_EQ(faults.struck(), 1U);
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ChildFaults, a_process_that_cannot_be_watched_is_none) {
  in_place([] {
    Process process(&sleep_long, {.name = "sleeper"});
    EXPECT_EQ(words_of(SystemCall::pidfd_open, EMFILE, [&] { process.start(); }), "start sleeper: Too many open files");
    EXPECT_EQ(words_of(SystemCall::clone, EAGAIN, [&] { process.start(); }).substr(0, 4), "fork");
    EXPECT_FALSE(process.pid());
    EXPECT_TRUE(no_children());
    process.start();
    EXPECT_TRUE(process.is_alive());
    process.kill();
  });
  EXPECT_TRUE(no_children());
}

TEST_P(ChildFaults, a_process_without_its_message_is_not_started) {
  in_place([] {
    const Ledger before;
    Process process(&sleep_long, {.name = "sleeper", .start = ProcessStart::afresh});
    EXPECT_EQ(words_of(SystemCall::memfd_create, EMFILE, [&] { process.start(); }),
              "memfd_create: Too many open files");
    EXPECT_EQ(words_of(SystemCall::open, EMFILE, [&] { process.start(); }), "open /dev/null: Too many open files");
    EXPECT_EQ(words_of(SystemCall::open, ENFILE, [] { const Pty pty; }),
              "open /dev/ptmx: Too many open files in system");
    before.expect_the_same();
  });
  EXPECT_TRUE(no_children());
}

// It is started again a moment later.
TEST_P(ChildFaults, a_worker_that_cannot_be_started_comes_later) {
  in_place([] {
    const FaultInjection faults({{.call = SystemCall::memfd_create, .error = EMFILE, .nth = 1},
                                 {.call = SystemCall::memfd_create, .error = EMFILE, .nth = 4}});
    ProcessPool pool(1);
    EXPECT_EQ(pool.submit(seven).result(), 7);
    EXPECT_GT(faults.struck(), 0U);
  });
  EXPECT_TRUE(no_children());
}

}  // namespace
}  // namespace hawser
