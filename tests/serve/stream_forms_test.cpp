// What holds for stream servers in every form, served in a fiber and on a plain thread.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/serve/unix_servers.h>

#include "every_form.h"
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

class StreamForms : public testing::EveryForm {
 protected:
  static std::unique_ptr<StreamServer> make(ServeConnection handler, ServerOptions options = {}) {
    return std::make_unique<StreamServer>(form(), kAnyPort, std::move(handler), std::move(options));
  }
};

HAWSER_IN_EVERY_FORM(StreamForms);

TEST_P(StreamForms, echoes) {
  in_context([] {
    const auto server = make(echo);
    Serving serving(*server);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(converse(server->address(), "hi"), "hi");
    serving.stop();
    EXPECT_EQ(server->connections(), 0U);
    EXPECT_TRUE(server->wait_stopped(0s));
  });
}

TEST_P(StreamForms, five_hundred_clients_at_once) {
  const int clients = 500 / kSlower;
  descriptors();
  in_context([clients] {
    const auto server = make(echo, {.listen = {.backlog = 1024}});
    const Serving serving(*server);
    // They play on a loop of their own, so that those of a plain thread's server are at once, too.
    std::atomic<int> right = 0;
    std::thread players([&] {
      run([&] {
        TaskGroup group;
        for (int i = 0; i < clients; ++i) {
          group.spawn([&, i] {
            Socket client = connect(server->address());
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
    });
    while (right < clients) sleep(1ms);
    players.join();
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

template <class Server>
void shouts(Server&& server) {
  const Serving serving(server);
  EXPECT_EQ(converse(server.address(), "one\ntwo"), "ONE\nTWO");
}

TEST(stream_forms, the_same_class_under_each_name) {
  const std::string path = "@hawser-forms-" + std::to_string(::getpid());
  shouts(TcpServer<Upper>(kAnyPort));
  shouts(ThreadingTcpServer<Upper>(kAnyPort));
  shouts(ForkingTcpServer<Upper>(kAnyPort));
  shouts(UnixServer<Upper>(path));
  shouts(ThreadingUnixServer<Upper>(path));
  shouts(ForkingUnixServer<Upper>(path));
  run([&] {
    shouts(FiberTcpServer<Upper>(kAnyPort));
    shouts(FiberUnixServer<Upper>(path));
  });
}

TEST(stream_forms, the_same_function_under_each_name) {
  const auto check = [](Server& server) {
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "hi"), "hi");
  };
  const auto handler = [](Socket& peer) { echo(peer); };
  TcpServer one(kAnyPort, handler);
  ThreadingTcpServer two(kAnyPort, handler);
  ForkingTcpServer three(kAnyPort, handler);
  UnixServer four("@hawser-fn-" + std::to_string(::getpid()), handler);
  for (Server* server : std::initializer_list<Server*>{&one, &two, &three, &four}) check(*server);
  run([&] {
    FiberTcpServer five({"127.0.0.1", 0}, [](Socket& peer) { echo(peer); });
    check(five);
  });
}

TEST_P(StreamForms, a_handler_that_throws_ends_its_own_request_only) {
  in_context([] {
    const auto server = make(
        [](Socket& peer) {
          if (peer.recv(1) == "x") throw std::runtime_error("on demand");
          peer.send_all("fine");
        },
        {.handle_error = [](std::exception_ptr, Socket& peer) { peer.send_all("seen"); }});
    const Serving serving(*server);
    EXPECT_EQ(converse(server->address(), "x"), "seen");
    EXPECT_EQ(converse(server->address(), "y"), "fine");
  });
}

TEST_P(StreamForms, verify_runs_where_it_is_served_and_may_refuse_or_throw) {
  Log log;
  in_context([] {
    int asked = 0;  // no lock: one at a time, and in the parent
    const auto server = make([](Socket& peer) { peer.send_all("in"); }, {.verify_request = [&asked](Socket&) {
                               if (++asked == 2) throw std::runtime_error("verify broke");
                               return asked == 3;
                             }});
    const Serving serving(*server);
    EXPECT_EQ(converse(server->address(), ""), "");
    EXPECT_EQ(converse(server->address(), ""), "");
    EXPECT_EQ(converse(server->address(), ""), "in");
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("verify broke"), std::string::npos);
}

// Every hook, told in order.
class Hooked : public StreamServer {
 public:
  Hooked(Form form, const Endpoint& endpoint)
      : StreamServer(form, endpoint, [this](Socket& peer) { handle(peer); }, {}) {}
  ~Hooked() override { server_close(); }
  std::vector<std::string> calls() {
    const std::lock_guard hold(mutex_);
    return calls_;
  }

 protected:
  Socket get_request() override {
    Socket peer = StreamServer::get_request();
    note("get");
    return peer;
  }
  bool verify_request(Socket& peer) override {
    note("verify");
    return StreamServer::verify_request(peer);
  }
  void process_request(Socket& peer) override {
    note("process");
    StreamServer::process_request(peer);
  }
  void finish_request(Socket& peer) override {
    note("finish");
    StreamServer::finish_request(peer);
  }
  void shutdown_request(Socket& peer) override {
    note("shutdown");
    StreamServer::shutdown_request(peer);
  }
  void close_request(Socket& peer) override {
    note("close");
    StreamServer::close_request(peer);
  }
  void handle_error(std::exception_ptr, Socket&) override { note("error"); }
  void service_actions() override { ++actions_; }

 private:
  void handle(Socket& peer) {
    note("handle");
    if (peer.recv(1) == "x") throw std::runtime_error("on demand");
  }
  void note(const char* call) {
    const std::lock_guard hold(mutex_);
    calls_.emplace_back(call);
  }
  std::mutex mutex_;
  std::vector<std::string> calls_;

 public:
  std::atomic<int> actions_ = 0;
};

TEST_P(StreamForms, hooks_are_called_in_order) {
  if (forking()) return;  // its own test looks at both processes
  in_context([] {
    Hooked server(form(), kAnyPort);
    {
      Serving serving(server);
      EXPECT_EQ(converse(server.address(), "x"), "");
      serving.stop();
    }
    EXPECT_EQ(server.calls(),
              (std::vector<std::string>{"get", "verify", "process", "finish", "handle", "error", "shutdown", "close"}));
    EXPECT_GE(server.actions_, 1);
  });
}

TEST(stream_forms, a_forking_servers_hooks_before_the_handler_run_in_the_parent) {
  Hooked server(Form::forking, kAnyPort);
  Serving serving(server);
  EXPECT_EQ(converse(server.address(), "y"), "");
  serving.stop();
  EXPECT_EQ(server.calls(), (std::vector<std::string>{"get", "verify", "process"}));
}

TEST_P(StreamForms, stops_from_a_handler) {
  if (forking()) return;  // a child stops nobody: see below
  in_context([] {
    Server* itself = nullptr;
    const auto server = make(
        [&itself](Socket& peer) {
          itself->request_stop();
          peer.send_all("bye");
        },
        {.drain = 20s});
    itself = server.get();
    Serving serving(*server);
    EXPECT_EQ(converse(server->address(), ""), "bye");
    serving.end();
    EXPECT_THROW(static_cast<void>(connect(server->address())), SystemError);
  });
}

TEST(stream_forms, a_child_does_not_stop_its_parent) {
  Server* itself = nullptr;
  ForkingTcpServer server(kAnyPort, [&itself](Socket& peer) {
    itself->request_stop();
    peer.send_all("tried");
  });
  itself = &server;
  const Serving serving(server);
  EXPECT_EQ(converse(server.address(), ""), "tried");
  EXPECT_FALSE(server.stopping());
  EXPECT_EQ(converse(server.address(), ""), "tried");
}

Server* g_server = nullptr;

TEST_P(StreamForms, stops_from_a_signal_handler) {
  in_context([] {
    const auto server = make(echo);
    g_server = server.get();
    const auto before = ::signal(SIGUSR1, [](int) { g_server->request_stop(); });
    Serving serving(*server);
    EXPECT_EQ(converse(server->address(), "hi"), "hi");
    ::raise(SIGUSR1);
    serving.end();
    ::signal(SIGUSR1, before);
  });
}

TEST_P(StreamForms, stops_while_nobody_comes_and_before_it_serves) {
  for (int round = 0; round < 20; ++round) {
    in_context([] {
      const auto server = make(echo);
      std::thread stopper([&] {
        server->request_stop();
        EXPECT_TRUE(server->wait_stopped(30s));
      });
      server->serve_forever();
      stopper.join();
      EXPECT_THROW(server->serve_forever(), std::logic_error);
    });
  }
}

TEST_P(StreamForms, cuts_what_lasts_longer_than_the_drain) {
  in_context([] {
    const auto server = make([](Socket& peer) {
      peer.send_all("here");
      static_cast<void>(peer.recv(1));  // for ever
    });
    Serving serving(*server);
    Socket client = connect(server->address());
    EXPECT_EQ(client.recv(4), "here");
    serving.stop();
    EXPECT_EQ(server->connections(), 0U);
    EXPECT_TRUE(client.recv(1).empty());
  });
}

TEST_P(StreamForms, drains_first) {
  in_context([] {
    const auto server = make(
        [](Socket& peer) {
          peer.send_all("here");
          const Bytes word = peer.recv(10);
          peer.send_all(word);
        },
        {.drain = 30s});
    Serving serving(*server);
    Socket client = connect(server->address());
    EXPECT_EQ(client.recv(4), "here");
    server->request_stop();
    EXPECT_FALSE(server->wait_stopped(1ms));
    client.send_all("answer me");
    EXPECT_EQ(client.recv(100), "answer me");
    serving.end();
  });
}

TEST_P(StreamForms, a_full_server_lets_peers_wait) {
  if (!at_once()) return;
  in_context([] {
    const auto server = make(
        [](Socket& peer) {
          peer.send_all("in");
          static_cast<void>(peer.recv(1));
        },
        {.max_connections = 2});
    const Serving serving(*server);
    Socket a = connect(server->address());
    EXPECT_EQ(a.recv(2), "in");
    Socket b = connect(server->address());
    EXPECT_EQ(b.recv(2), "in");
    Socket c = connect(server->address());
    c.set_timeout(20ms);
    EXPECT_THROW(c.recv(2), SocketTimeout);
    EXPECT_EQ(server->connections(), 2U);
    a.shutdown();  // a forked child of this process has it open, too
    c.set_timeout(std::nullopt);
    EXPECT_EQ(c.recv(2), "in");
  });
}

TEST_P(StreamForms, a_stalled_client_is_sent_away_and_others_are_served) {
  in_context([] {
    const auto server = make(echo, {.idle_timeout = 20ms});
    const Serving serving(*server);
    Socket silent = connect(server->address());
    EXPECT_TRUE(silent.recv(1).empty());
    EXPECT_EQ(converse(server->address(), "next"), "next");
  });
}

// A byte now and then beats every idle timeout: it is the pace that counts.
TEST_P(StreamForms, a_slow_client_is_sent_away) {
  in_context([] {
    const auto server = make(
        [](Socket& peer) {
          while (peer.recv(1024)) {
          }
        },
        {.idle_timeout = 20s, .least_pace = LeastPace{.bytes_per_second = 5000, .window = 40ms}});
    const Serving serving(*server);
    Socket slow = connect(server->address());
    slow.set_timeout(3ms);
    int sent = 0;
    for (bool there = true; there;) {
      try {
        slow.send_all("x");
        ++sent;
        there = !slow.recv(1).empty();
      } catch (const SocketTimeout&) {
      } catch (const SystemError&) {  // reset: it was closed with a byte under way
        there = false;
      }
    }
    EXPECT_GT(sent, 1);
  });
}

TEST_P(StreamForms, a_request_deadline_ends_a_busy_conversation) {
  in_context([] {
    const auto server = make(echo, {.request_deadline = 30ms});
    const Serving serving(*server);
    Socket client = connect(server->address());
    EXPECT_NO_THROW({
      try {
        for (;;) {
          client.send_all("x");
          if (!client.recv(1)) break;
        }
      } catch (const SystemError&) {  // the server closed while a byte was on its way
      }
    });
  });
}

TEST_P(StreamForms, handle_request_serves_one) {
  in_context([] {
    const auto server = make(echo, {.timeout = 30s});
    std::thread client([&] { EXPECT_EQ(converse(server->address(), "one"), "one"); });
    EXPECT_TRUE(server->handle_request());
    while (server->connections() > 0) sleep(1ms);
    client.join();
  });
}

TEST_P(StreamForms, a_stop_ends_the_request_that_handle_request_waits_for) {
  in_context([] {
    const auto server = make(echo, {.timeout = 30s});
    std::thread client([&] {
      Socket idle = connect(server->address());
      idle.set_timeout(20s);
      while (server->connections() == 0) std::this_thread::sleep_for(1ms);
      server->request_stop();
      // Others run it beside themselves: the destructor cuts it.
      EXPECT_TRUE(at_once() || idle.recv(1).empty());
    });
    EXPECT_TRUE(server->handle_request());
    client.join();
  });
}

// What was written before something is thrown is not lost, and neither is what finish says then.
TEST_P(StreamForms, a_handler_that_throws_has_said_what_it_said) {
  struct Refusing : StreamHandler {
    void handle() override {
      output().write("no such command\n");
      throw std::runtime_error("refused");
    }
    void finish() override { output().write("bye\n"); }
  };
  Log log;
  in_context([] {
    const auto server = make([](Socket& peer) { Refusing().serve(peer); });
    const Serving serving(*server);
    EXPECT_EQ(converse(server->address(), ""), "no such command\nbye\n");
  });
}

class Impatient : public StreamServer {
 public:
  using StreamServer::StreamServer;
  int waited_in_vain = 0;

 protected:
  void handle_timeout() override { ++waited_in_vain; }
};

TEST_P(StreamForms, handle_request_gives_up_after_the_timeout) {
  in_context([] {
    Impatient server(form(), kAnyPort, echo, {.timeout = 2ms});
    EXPECT_FALSE(server.handle_request());
    EXPECT_EQ(server.waited_in_vain, 1);
    server.request_stop();
    EXPECT_FALSE(server.handle_request());
    EXPECT_EQ(server.waited_in_vain, 1);
  });
}

TEST_P(StreamForms, a_server_restarts_on_its_port) {
  in_context([] {
    Address address;
    for (int round = 0; round < 5; ++round) {
      StreamServer server(form(), round == 0 ? kAnyPort : Endpoint(address), echo, {});
      address = server.address();
      const Serving serving(server);
      Socket first = connect(address);
      first.send_all("x");
      EXPECT_EQ(first.recv(1), "x");
      first.shutdown();
      EXPECT_EQ(converse(address, "hi"), "hi") << round;
    }
  });
}

TEST_P(StreamForms, bind_and_activate_by_hand) {
  in_context([] {
    StreamServer server(form(), kAnyPort, echo, {.bind_and_activate = false});
    server.server_bind();
    EXPECT_THROW(static_cast<void>(connect(server.address())), SystemError);
    server.server_activate();
    const Serving serving(server);
    EXPECT_EQ(converse(server.address(), "hi"), "hi");
  });
}

TEST_P(StreamForms, serves_a_listener_that_exists) {
  in_context([] {
    Listener listener(kAnyPort);
    const Address address = listener.address();
    StreamServer server(form(), Listener(Socket(listener.socket().detach())), echo, {});
    EXPECT_EQ(server.address(), address);
    const Serving serving(server);
    EXPECT_EQ(converse(address, "hi"), "hi");
  });
}

}  // namespace
}  // namespace hawser
