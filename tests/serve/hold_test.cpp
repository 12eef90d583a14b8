// Who cannot hold a server up: crowds, the slow, the silent, and a lack of descriptors.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/sync/event.h>

#include "serving.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::descriptors;
using testing::echo;
using testing::kAnyPort;
using testing::kSlower;
using testing::Log;
using testing::Serving;

// All of them are being served before the first of them speaks. In a process of their own: each end has its
// descriptors.
[[noreturn]] void crowd(const Address& server, int clients) {
  int right = 0;
  run([&] {
    Event all_here;
    int here = 0;
    TaskGroup group;
    for (int i = 0; i < clients; ++i) {
      group.spawn([&, i] {
        Socket client = connect(server);
        static_cast<void>(client.recv(1));  // its handler is there
        if (++here == clients) all_here.set();
        all_here.wait();
        const std::string text = "client " + std::to_string(i);
        client.send_all(text);
        client.shutdown_write();
        std::string all;
        while (Bytes data = client.recv(1024)) all += data.view();
        if (all == text) ++right;
      });
    }
    group.join();
  });
  ::_exit(right == clients ? 0 : 1);
}

int status_of(pid_t child) {
  const int status = offload([child] {
    int raw = 0;
    while (::waitpid(child, &raw, 0) < 0 && errno == EINTR) {
    }
    return raw;
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Crowd : public ::testing::TestWithParam<DealOut> {};
INSTANTIATE_TEST_SUITE_P(all, Crowd, ::testing::Values(DealOut::least_loaded, DealOut::reuse_port),
                         [](const auto& info) {
                           return info.param == DealOut::least_loaded ? "least_loaded" : "reuse_port";
                         });

TEST_P(Crowd, ten_thousand_clients_at_once) {
  constexpr int kWanted = 10'000 / kSlower;
  const int clients = std::min(kWanted, static_cast<int>(descriptors()) - 100);
  if (clients < kWanted) std::printf("%d clients, for there are no more descriptors\n", clients);
  run({.loops = 2}, [clients] {
    std::atomic<int> most = 0, now = 0;
    FiberTcpServer server(kAnyPort,
                          [&](Socket& peer) {
                            const int count = ++now;
                            int before = most;
                            while (before < count && !most.compare_exchange_weak(before, count)) {
                            }
                            peer.send_all("!");
                            echo(peer);
                            --now;
                          },
                          {.listen = {.backlog = 4096}, .deal_out = GetParam()});
    Serving serving(server);
    const pid_t child = fork_process();
    if (child == 0) crowd(server.address(), clients);
    EXPECT_EQ(status_of(child), 0);
    serving.stop();
    EXPECT_EQ(most, clients);
  });
}

TEST(hold, connections_go_to_the_loop_that_has_the_fewest) {
  run({.loops = 3}, [] {
    FiberTcpServer server(kAnyPort, [](Socket& peer) {
      peer.send_all(std::to_string(loop_index()));
      static_cast<void>(peer.recv(1));
    });
    Serving serving(server);
    std::vector<Socket> on[3];
    const auto one_more = [&] {
      Socket client = connect(server.address());
      const int loop = std::stoi(client.recv(1).str());
      on[loop].push_back(std::move(client));
      return loop;
    };
    for (int i = 0; i < 6; ++i) one_more();
    for (const auto& clients : on) EXPECT_EQ(clients.size(), 2U);
    on[1].clear();
    while (server.connections() > 4) sleep(1ms);
    EXPECT_EQ(one_more(), 1);
    EXPECT_EQ(one_more(), 1);
    serving.stop();
  });
}

TEST(hold, with_a_listener_a_loop_the_limit_is_still_one) {
  run({.loops = 3}, [] {
    std::atomic<int> loops[3] = {};
    FiberTcpServer server(kAnyPort,
                          [&](Socket& peer) {
                            ++loops[loop_index()];
                            peer.send_all("in");
                            static_cast<void>(peer.recv(1));
                          },
                          {.max_connections = 20, .deal_out = DealOut::reuse_port});
    Serving serving(server);
    std::vector<Socket> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(connect(server.address()));
      EXPECT_EQ(clients.back().recv(2), "in");
    }
    EXPECT_EQ(loops[0] + loops[1] + loops[2], 20);
    Socket late = connect(server.address());
    late.set_timeout(20ms);
    EXPECT_THROW(late.recv(2), SocketTimeout);
    EXPECT_EQ(server.connections(), 20U);
    clients.clear();
    late.set_timeout(std::nullopt);
    EXPECT_EQ(late.recv(2), "in");
    serving.stop();
    EXPECT_EQ(server.connections(), 0U);
  });
}

TEST(hold, cancelling_a_server_with_a_listener_a_loop_takes_all_along) {
  run({.loops = 3}, [] {
    FiberTcpServer server(kAnyPort, echo, {.deal_out = DealOut::reuse_port});
    const Task<void> serving = spawn([&] { server.serve_forever(); });
    for (int i = 0; i < 10; ++i) EXPECT_EQ(converse(server.address(), "hi"), "hi");
    serving.kill();
    serving.join();
    EXPECT_TRUE(serving.cancelled());
    EXPECT_THROW(static_cast<void>(connect(server.address())), SystemError);
  });
}

// Peers that drip a byte now and then take every place; each beats the idle timeout, none the least pace.
TEST(hold, slowloris_is_sent_away_and_the_honest_are_served) {
  run([] {
    FiberTcpServer server(kAnyPort,
                          [](Socket& peer) {
                            BufferedReader in(peer);
                            while (auto line = in.read_line()) peer.send_all(*line);
                          },
                          {.max_connections = 50,
                           .idle_timeout = 20s,
                           .least_pace = LeastPace{.bytes_per_second = 2000, .window = 100ms}});
    Serving serving(server);
    std::atomic<int> sent_away = 0;
    TaskGroup drips;
    for (int i = 0; i < 50; ++i) {
      drips.spawn([&] {
        try {
          Socket slow = connect(server.address());
          slow.set_timeout(5ms);
          for (;;) {
            slow.send_all("x");
            try {
              if (!slow.recv(1)) break;
            } catch (const SocketTimeout&) {
            }
          }
        } catch (const SystemError&) {  // closed with a byte under way
        }
        ++sent_away;
      });
    }
    while (server.connections() < 50) sleep(1ms);
    EXPECT_EQ(converse(server.address(), "honest\n"), "honest\n");
    drips.join();
    EXPECT_EQ(sent_away, 50);
    serving.stop();
  });
}

class OutOfDescriptors : public ::testing::TestWithParam<Form> {};

std::string form_name(const ::testing::TestParamInfo<Form>& info) {
  static const char* const forms[] = {"one_at_a_time", "threading", "forking", "fiber"};
  return forms[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(all, OutOfDescriptors, ::testing::Values(Form::threading, Form::forking, Form::fiber),
                         form_name);

TEST_P(OutOfDescriptors, peers_wait_and_it_is_logged_once) {
  Log log;
  run([] {
    StreamServer server(GetParam(), kAnyPort, echo, {});
    Serving serving(server);
    EXPECT_EQ(converse(server.address(), "first"), "first");  // all that it needs by itself is open now
    while (server.connections() > 0) sleep(1ms);
    std::vector<Socket> clients;
    for (int i = 0; i < 10; ++i) clients.emplace_back(AF_INET);
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit tight = before;
    {
      const UniqueFd next(::dup(0));
      tight.rlim_cur = static_cast<rlim_t>(next.get());
    }
    ::setrlimit(RLIMIT_NOFILE, &tight);
    for (Socket& client : clients) client.connect(server.address());
    clients.front().set_timeout(50ms);
    EXPECT_THROW(clients.front().recv(1), SocketTimeout);
    ::setrlimit(RLIMIT_NOFILE, &before);
    clients.front().set_timeout(20s);
    for (Socket& client : clients) {
      client.send_all("hi");
      EXPECT_EQ(client.recv(2), "hi");
      client.shutdown();
    }
    serving.stop();
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("Too many open files"), std::string::npos) << log.lines()[0];
}

TEST(hold, without_block_on_close_serving_ends_before_a_deaf_handler) {
  std::atomic<bool> ended = false;
  {
    Event deaf;
    ThreadingTcpServer server(kAnyPort,
                              [&](Socket& peer) {
                                peer.send_all("here");
                                deaf.wait();
                                ended = true;
                              },
                              {.block_on_close = false});
    Serving serving(server);
    Socket client = connect(server.address());
    EXPECT_EQ(client.recv(4), "here");
    serving.stop();
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_FALSE(ended);
    deaf.set();
  }
  EXPECT_TRUE(ended);  // the destructor has waited
}

}  // namespace
}  // namespace hawser
