// What only a forking server does: its children end, are reaped, and take nobody else's place.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/fiber/fork.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/child_failed.h>
#include <hawser/serve/tcp_servers.h>

#include "serving.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::echo;
using testing::kAnyPort;
using testing::Log;
using testing::Serving;

class Forking : public ::testing::TestWithParam<bool> {
 protected:
  static void in_context(const std::function<void()>& body) {
    if (GetParam()) {
      run([&] { body(); });
    } else {
      body();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(all, Forking, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "in_fiber" : "on_thread"; });

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

TEST_P(Forking, every_child_is_reaped_and_no_other) {
  const pid_t own = fork_process();
  if (own == 0) ::_exit(7);
  in_context([] {
    ForkingTcpServer server(kAnyPort, echo);
    Serving serving(server);
    for (int i = 0; i < 30; ++i) EXPECT_EQ(converse(server.address(), "hi"), "hi");
    serving.stop();
  });
  int status = 0;
  EXPECT_EQ(::waitpid(own, &status, 0), own);  // the program's own child was left to the program
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(has_children());
}

TEST_P(Forking, children_have_memory_of_their_own) {
  in_context([] {
    int served = 0;
    ForkingTcpServer server(kAnyPort, [&served](Socket& peer) { peer.send_all(std::to_string(++served)); });
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "1");
    EXPECT_EQ(converse(server.address(), ""), "1");
    EXPECT_EQ(served, 0);
  });
}

TEST_P(Forking, children_may_run_loops_of_their_own) {
  in_context([] {
    ForkingTcpServer server(kAnyPort, [](Socket& peer) {
      run([&peer] {
        const Task<void> task = spawn([&peer] { echo(peer); });
        task.get();
      });
    });
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "from a fiber"), "from a fiber");
  });
}

TEST_P(Forking, a_child_that_crashes_is_reported_and_the_server_goes_on) {
  std::mutex mutex;
  std::vector<int> codes;
  in_context([&] {
    ForkingTcpServer server(kAnyPort,
                            [](Socket& peer) {
                              const Bytes word = peer.recv(10);
                              if (word == "kill") ::raise(SIGKILL);
                              if (word == "exit") ::_exit(3);
                              peer.send_all("fine");
                            },
                            {.handle_error = [&](std::exception_ptr error, Socket& peer) {
                              EXPECT_TRUE(peer.peer().starts_with("127.0.0.1:")) << peer.peer();
                              try {
                                std::rethrow_exception(error);
                              } catch (const ChildFailed& failed) {
                                const std::lock_guard hold(mutex);
                                codes.push_back(failed.return_code());
                              }
                            }});
    Serving serving(server);
    EXPECT_EQ(converse(server.address(), "kill"), "");
    while (server.connections() > 0) sleep(1ms);
    EXPECT_EQ(converse(server.address(), "exit"), "");
    while (server.connections() > 0) sleep(1ms);
    EXPECT_EQ(converse(server.address(), "live"), "fine");
    serving.stop();
  });
  EXPECT_EQ(codes, (std::vector<int>{-SIGKILL, 3}));
}

TEST_P(Forking, a_crash_is_logged_with_the_peer_and_the_signal) {
  Log log;
  in_context([] {
    ForkingTcpServer server(kAnyPort, [](Socket&) { ::raise(SIGKILL); });
    Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
    while (server.connections() > 0) sleep(1ms);
    serving.stop();
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_TRUE(log.lines()[0].starts_with("request from 127.0.0.1:")) << log.lines()[0];
  EXPECT_TRUE(log.lines()[0].ends_with("was killed by SIGKILL")) << log.lines()[0];
}

TEST_P(Forking, a_child_deaf_to_its_deadline_is_killed) {
  in_context([] {
    ForkingTcpServer server(kAnyPort,
                            [](Socket&) {
                              for (;;) ::pause();  // no call of ours that a deadline could end
                            },
                            {.request_deadline = 5ms});
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
  });
}

TEST_P(Forking, a_cut_kills_quietly) {
  Log log;
  in_context([] {
    ForkingTcpServer server(kAnyPort, [](Socket& peer) {
      peer.send_all("here");
      for (;;) ::pause();
    });
    Serving serving(server);
    Socket client = connect(server.address());
    EXPECT_EQ(client.recv(4), "here");
    serving.stop();
  });
  EXPECT_TRUE(log.lines().empty());
  EXPECT_FALSE(has_children());
}

TEST_P(Forking, the_port_is_free_once_the_parent_has_stopped) {
  in_context([] {
    ForkingTcpServer server(kAnyPort,
                            [](Socket& peer) {
                              peer.send_all("here");
                              static_cast<void>(peer.recv(1));
                            },
                            {.drain = 20s});
    Serving serving(server);
    Socket client = connect(server.address());
    EXPECT_EQ(client.recv(4), "here");
    server.request_stop();
    for (;;) {  // the child goes on, and does not hold the port
      try {
        connect(server.address()).shutdown();
        sleep(1ms);
      } catch (const SystemError&) {
        break;
      }
    }
    EXPECT_EQ(server.connections(), 1U);
    client.shutdown();
    serving.end();
  });
}

// SIGCHLD ignored means that the kernel reaps, and tells nobody how they ended.
TEST_P(Forking, works_with_sigchld_ignored) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  in_context([] {
    ForkingTcpServer server(kAnyPort, echo);
    Serving serving(server);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(converse(server.address(), "hi"), "hi");
    serving.stop();
  });
  ::signal(SIGCHLD, before);
}

}  // namespace
}  // namespace hawser
