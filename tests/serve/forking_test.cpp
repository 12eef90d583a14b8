// What only a forking server does: its children end, are reaped, and take nobody else's place.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/fiber/fork.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/child_failed.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/serve/udp_servers.h>
#include <hawser/serve/unix_servers.h>

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

TEST_P(Forking, a_child_deaf_to_its_deadline_is_killed_and_reported) {
  Log log;
  in_context([] {
    ForkingTcpServer server(kAnyPort,
                            [](Socket&) {
                              for (;;) ::pause();  // no call of ours that a deadline could end
                            },
                            {.request_deadline = 5ms});
    Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
    while (server.connections() > 0) sleep(1ms);
    serving.stop();
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_TRUE(log.lines()[0].ends_with("was killed by SIGKILL")) << log.lines()[0];
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

// Nor the ports of other servers.
TEST_P(Forking, a_child_that_lives_on_holds_no_port_of_another_server) {
  in_context([] {
    ForkingTcpServer forking(kAnyPort, echo);
    auto stream = std::make_unique<ThreadingTcpServer<ServeConnection>>(kAnyPort, echo);
    auto datagram =
        std::make_unique<ThreadingUdpServer<ServeDatagram>>(kAnyPort, [](DatagramRequest& r) { r.reply(r.data()); });
    const Address tcp = stream->address(), udp = datagram->address();
    {
      const Serving serving(forking), others(*stream), more(*datagram);
      EXPECT_EQ(converse(tcp, "it serves"), "it serves");
      Socket asking(AF_INET, SOCK_DGRAM);
      asking.send_to("it serves", udp);
      EXPECT_EQ(asking.recv_from().data, "it serves");
      Socket client = connect(forking.address());
      client.send_all("x");
      EXPECT_EQ(client.recv(1), "x");  // a child lives
      for (Server* const server : {static_cast<Server*>(stream.get()), static_cast<Server*>(datagram.get())}) {
        server->request_stop();
        EXPECT_TRUE(server->wait_stopped(20s));
      }
      EXPECT_NO_THROW(ThreadingTcpServer<ServeConnection>(tcp, echo));
      EXPECT_NO_THROW(ThreadingUdpServer<ServeDatagram>(udp, [](DatagramRequest&) {}));
      client.send_all("y");
      EXPECT_EQ(client.recv(1), "y");
    }
  });
}

// The static objects of the parent, among them its servers, are destroyed in the child as well.
TEST(forking, a_child_that_exits_leaves_the_parents_servers_alone) {
  const std::string path = ::testing::TempDir() + "hawser-exits-" + std::to_string(::getpid());
  const pid_t parent = fork_process();
  if (parent == 0) {
    static ForkingUnixServer<ServeConnection> server(path, [](Socket& peer) {
      const Bytes word = peer.recv(10);
      if (word == "exit") std::exit(0);
      peer.send_all(word);
    });
    server.serve_forever();
    ::_exit(0);
  }
  const auto ask = [&path](std::string_view word) {
    for (;;) {
      try {
        Socket client = connect(Endpoint::unix_path(path));
        client.set_timeout(20s);
        client.send_all(word);
        return client.recv(10).str();
      } catch (const SystemError&) {
        sleep(1ms);  // it is not there yet
      }
    }
  };
  EXPECT_EQ(ask("hi"), "hi");
  EXPECT_EQ(ask("exit"), "");
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_EQ(ask("ho"), "ho");
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  ::unlink(path.c_str());
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
