#include <hawser/serve/tcp_servers.h>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/connect.h>
#include <hawser/sync/event.h>

#include "serving.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::converse;
using testing::echo;
using testing::kAnyPort;
using testing::Log;
using testing::Serving;

TEST(fiber_tcp_server, echoes_to_many_at_once) {
  run([] {
    FiberTcpServer server(kAnyPort, echo);
    const Serving serving(server);
    TaskGroup clients;
    for (int i = 0; i < 200; ++i) {
      clients.spawn([&server, i] { EXPECT_EQ(converse(server.address(), std::to_string(i)), std::to_string(i)); });
    }
    clients.join();
  });
}

TEST(fiber_tcp_server, serves_clients_on_threads_and_on_every_loop) {
  run({.loops = 3}, [] {
    std::atomic<int> seen[3] = {};
    FiberTcpServer server(kAnyPort, [&seen](Socket& peer) {
      ++seen[loop_index()];
      echo(peer);
    });
    Serving serving(server);
    std::thread client([&server] {
      std::vector<Socket> clients;  // all stay, so that each loop gets its share
      for (int i = 0; i < 30; ++i) {
        clients.push_back(connect(server.address()));
        clients.back().send_all("hi");
        EXPECT_EQ(clients.back().recv(2), "hi");
      }
      server.request_stop();
    });
    serving.end();
    client.join();
    for (const auto& count : seen) EXPECT_EQ(count, 10);
  });
}

TEST(fiber_tcp_server, serves_unix_paths) {
  run([] {
    FiberTcpServer server(Endpoint::unix_path("@hawser-server-" + std::to_string(::getpid())), echo);
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "hi"), "hi");
  });
}

TEST(fiber_tcp_server, a_thousand_silent_connections_hinder_nobody) {
  run([] {
    FiberTcpServer server(kAnyPort, echo, {.listen = {.backlog = 1024}});
    Serving serving(server);
    std::vector<Socket> silent;
    for (int i = 0; i < 1000; ++i) silent.push_back(connect(server.address()));
    while (server.connections() < 1000) yield();
    EXPECT_EQ(converse(server.address(), "not silent"), "not silent");
    serving.stop();
    EXPECT_EQ(server.connections(), 0U);
    for (Socket& socket : silent) EXPECT_TRUE(socket.recv(1).empty());
  });
}

struct Upper : StreamHandler {
  void handle() override {
    while (auto line = input().read_line()) {
      for (char& c : *line) c = static_cast<char>(std::toupper(c));
      output().write(*line);
    }
  }
};

TEST(fiber_tcp_server, makes_a_stream_handler_for_each_connection) {
  run([] {
    FiberTcpServer<Upper> server(kAnyPort);
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "one\ntwo"), "ONE\nTWO");
    Socket client = connect(server.address());
    BufferedReader answers(client);
    for (const char* line : {"ask\n", "again\n"}) {  // an answer comes before the next question
      client.send_all(line);
      EXPECT_EQ(answers.read_line()->size(), std::string_view(line).size());
    }
  });
}

std::vector<std::string> g_calls;

struct Recorder : StreamHandler {
  void setup() override { g_calls.push_back("setup"); }
  void handle() override {
    g_calls.push_back("handle");
    if (input().read_line() == "throw") throw std::runtime_error("on demand");
    output().write("done");
  }
  void finish() override {
    g_calls.push_back("finish");
    output().write(".");
  }
};

TEST(fiber_tcp_server, order_is_verify_setup_handle_finish) {
  run([] {
    g_calls.clear();
    FiberTcpServer<Recorder> server(kAnyPort, {.verify_request = [](Socket&) {
                                      g_calls.push_back("verify");
                                      return true;
                                    }});
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "done.");
    EXPECT_EQ(g_calls, (std::vector<std::string>{"verify", "setup", "handle", "finish"}));
  });
}

TEST(fiber_tcp_server, finish_runs_when_handle_throws_and_handle_error_sees_it) {
  run([] {
    g_calls.clear();
    FiberTcpServer<Recorder> server(kAnyPort, {.handle_error = [](std::exception_ptr error, Socket& peer) {
                                      EXPECT_TRUE(peer.peer_name().is_loopback());
                                      try {
                                        std::rethrow_exception(error);
                                      } catch (const std::runtime_error& e) {
                                        g_calls.push_back(e.what());
                                      }
                                    }});
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "throw"), ".");  // what finish writes goes out all the same
    EXPECT_EQ(g_calls, (std::vector<std::string>{"setup", "handle", "finish", "on demand"}));
    EXPECT_EQ(converse(server.address(), "fine"), "done.");
  });
}

struct BadSetup : StreamHandler {
  void setup() override { throw std::runtime_error("no setup"); }
  void handle() override { ADD_FAILURE(); }
  void finish() override { ADD_FAILURE(); }
};

TEST(fiber_tcp_server, setup_that_throws_ends_its_request_only_and_is_logged) {
  Log log;
  run([] {
    FiberTcpServer<BadSetup> server(kAnyPort);
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
    EXPECT_EQ(converse(server.address(), ""), "");
  });
  ASSERT_EQ(log.lines().size(), 2U);
  EXPECT_TRUE(log.lines()[0].starts_with("request from 127.0.0.1:")) << log.lines()[0];
  EXPECT_TRUE(log.lines()[0].ends_with(": no setup")) << log.lines()[0];
}

TEST(fiber_tcp_server, verify_may_refuse_or_throw) {
  Log log;
  run([] {
    int asked = 0;
    FiberTcpServer server(kAnyPort, [](Socket& peer) { peer.send_all("in"); }, {.verify_request = [&asked](Socket&) {
                            if (++asked == 2) throw std::runtime_error("verify broke");
                            return asked == 3;
                          }});
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
    EXPECT_EQ(converse(server.address(), ""), "");
    EXPECT_EQ(converse(server.address(), ""), "in");
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("verify broke"), std::string::npos);
}

TEST(fiber_tcp_server, an_error_hook_that_throws_is_logged) {
  Log log;
  run([] {
    FiberTcpServer server(kAnyPort, [](Socket&) { throw 42; }, {.handle_error = [](std::exception_ptr, Socket&) {
                            throw std::runtime_error("hook broke");
                          }});
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "");
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("hook broke"), std::string::npos);
}

TEST(fiber_tcp_server, a_reset_peer_is_nothing_to_log) {
  Log log;
  run([] {
    FiberTcpServer server(kAnyPort, echo);
    const Serving serving(server);
    Socket client = connect(server.address());
    client.set(option::linger, option::Linger{.on = true});
    while (server.connections() == 0) yield();
    client.close();
    while (server.connections() > 0) yield();
    EXPECT_EQ(converse(server.address(), "next"), "next");
  });
  EXPECT_TRUE(log.lines().empty());
}

TEST(fiber_tcp_server, a_full_server_lets_peers_wait_in_the_backlog) {
  run([] {
    std::atomic<std::size_t> most = 0;
    Server* itself = nullptr;
    FiberTcpServer server(kAnyPort,
                          [&](Socket& peer) {
                            most = std::max(most.load(), itself->connections());
                            echo(peer);
                          },
                          {.max_connections = 3});
    itself = &server;
    const Serving serving(server);
    TaskGroup clients;
    for (int i = 0; i < 50; ++i) {
      clients.spawn([&] { EXPECT_EQ(converse(server.address(), "x"), "x"); });
    }
    clients.join();
    EXPECT_LE(most, 3U);
  });
}

TEST(fiber_tcp_server, a_full_server_stops_at_once) {
  run([] {
    FiberTcpServer server(kAnyPort, echo, {.max_connections = 1});
    Serving serving(server);
    Socket first = connect(server.address()), second = connect(server.address());
    while (server.connections() == 0) yield();
    serving.stop();
  });
}

TEST(fiber_tcp_server, idle_peers_are_sent_away) {
  run([] {
    FiberTcpServer server(kAnyPort, echo, {.idle_timeout = 5ms});
    const Serving serving(server);
    Socket client = connect(server.address());
    EXPECT_TRUE(client.recv(1).empty());
  });
}

TEST(fiber_tcp_server, request_deadline_ends_busy_peers) {
  run([] {
    std::exception_ptr seen;
    FiberTcpServer server(
        kAnyPort, echo,
        {.request_deadline = 20ms, .handle_error = [&seen](std::exception_ptr error, Socket&) { seen = error; }});
    const Serving serving(server);
    Socket client = connect(server.address());
    try {
      for (;;) {
        client.send_all("x");
        if (!client.recv(1)) break;
      }
    } catch (const SystemError&) {  // the server closed while a byte was on its way
    }
    while (!seen) yield();
    EXPECT_THROW(std::rethrow_exception(seen), DeadlineExceeded);
  });
}

TEST(fiber_tcp_server, stop_before_serving_serves_nobody) {
  run([] {
    FiberTcpServer server(kAnyPort, echo);
    server.request_stop();
    server.request_stop();
    EXPECT_TRUE(server.wait_stopped(0s));
    server.serve_forever();
    EXPECT_TRUE(server.wait_stopped());
    server.request_stop();
    EXPECT_THROW(server.serve_forever(), std::logic_error);
  });
}

TEST(fiber_tcp_server, stop_from_a_handler) {
  run([] {
    Server* itself = nullptr;
    FiberTcpServer server(kAnyPort,
                          [&itself](Socket& peer) {
                            itself->request_stop();
                            peer.send_all("bye");
                          },
                          {.drain = 5s});
    itself = &server;
    Serving serving(server);
    EXPECT_EQ(converse(server.address(), ""), "bye");
    serving.end();
    EXPECT_THROW(static_cast<void>(connect(server.address())), SystemError);
  });
}

Server* g_server = nullptr;

TEST(fiber_tcp_server, stop_from_a_signal_handler) {
  run([] {
    FiberTcpServer server(kAnyPort, echo);
    g_server = &server;
    const auto before = ::signal(SIGUSR1, [](int) { g_server->request_stop(); });
    Serving serving(server);
    yield();
    ::raise(SIGUSR1);
    serving.end();
    ::signal(SIGUSR1, before);
  });
}

TEST(fiber_tcp_server, stop_and_wait_from_threads) {
  for (int round = 0; round < 50; ++round) {
    run([] {
      FiberTcpServer server(kAnyPort, echo);
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&server] {
          server.request_stop();
          EXPECT_TRUE(server.wait_stopped(30s));
        });
      }
      server.serve_forever();
      for (auto& thread : threads) thread.join();
    });
  }
}

TEST(fiber_tcp_server, drain_lets_conversations_end) {
  run([] {
    Event asked, answer;
    FiberTcpServer server(kAnyPort,
                          [&](Socket& peer) {
                            asked.set();
                            answer.wait();
                            peer.send_all("drained");
                          },
                          {.drain = 30s});
    Serving serving(server);
    Socket client = connect(server.address());
    asked.wait();
    server.request_stop();
    EXPECT_FALSE(server.wait_stopped(1ms));
    EXPECT_TRUE(server.stopping());
    answer.set();
    EXPECT_EQ(client.recv(100), "drained");
    serving.end();
  });
}

TEST(fiber_tcp_server, after_the_drain_conversations_are_cut_and_clean_up) {
  run([] {
    bool cut = false, cleaned = false;
    FiberTcpServer server(kAnyPort,
                          [&](Socket& peer) {
                            struct Clean {
                              bool& flag;
                              ~Clean() { flag = true; }
                            } const clean{cleaned};
                            try {
                              peer.recv(1);
                            } catch (const Cancelled&) {
                              cut = true;
                              throw;
                            }
                          },
                          {.drain = 1ms});
    Serving serving(server);
    Socket client = connect(server.address());
    while (server.connections() == 0) yield();
    serving.stop();
    EXPECT_TRUE(cut && cleaned);
    EXPECT_TRUE(client.recv(1).empty());
  });
}

TEST(fiber_tcp_server, cancelling_serve_forever_takes_its_conversations_along) {
  run([] {
    FiberTcpServer server(kAnyPort, echo, {.drain = 1h});
    auto serving = spawn([&server] { server.serve_forever(); });
    Socket client = connect(server.address());
    while (server.connections() == 0) yield();
    serving.kill();
    serving.join();
    EXPECT_TRUE(serving.cancelled());
    EXPECT_EQ(server.connections(), 0U);
    EXPECT_TRUE(client.recv(1).empty());
    EXPECT_TRUE(server.wait_stopped(0s));
  });
}

TEST(fiber_tcp_server, a_deadline_around_serve_forever_ends_it_cleanly) {
  run([] {
    FiberTcpServer server(kAnyPort, echo);
    Socket client = connect(server.address());
    Deadline budget(10ms);
    EXPECT_THROW(server.serve_forever(), DeadlineExceeded);
    EXPECT_EQ(server.connections(), 0U);
  });
}

TEST(fiber_tcp_server, ends_with_run) {
  Socket client;
  run([&client] {
    auto server = std::make_shared<FiberTcpServer<void (*)(Socket&)>>(kAnyPort, echo);
    static_cast<void>(spawn([server] { server->serve_forever(); }));
    client = connect(server->address());
    while (server->connections() == 0) yield();
  });
  EXPECT_TRUE(client.recv(1).empty());
}

TEST(fiber_tcp_server, refuses_what_makes_no_sense) {
  EXPECT_THROW(FiberTcpServer(kAnyPort, echo, {.max_connections = 0}), std::invalid_argument);
  EXPECT_THROW(FiberTcpServer(kAnyPort, echo, {.drain = -1s}), std::invalid_argument);
  EXPECT_THROW(FiberTcpServer(kAnyPort, echo, {.idle_timeout = -1s}), std::invalid_argument);
  FiberTcpServer server(kAnyPort, echo);
  EXPECT_THROW(server.serve_forever(), std::logic_error);  // on a plain thread
  EXPECT_THROW(FiberTcpServer(server.address(), echo), SystemError);
}

}  // namespace
}  // namespace hawser
