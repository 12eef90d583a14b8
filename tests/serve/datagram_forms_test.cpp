// What holds for datagram servers in every form, served in a fiber and on a plain thread.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/udp_servers.h>
#include <hawser/serve/unix_servers.h>
#include <hawser/sync/event.h>

#include "every_form.h"
#include "serving.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::kAnyPort;
using testing::kSlower;
using testing::Log;
using testing::Serving;

class DatagramForms : public testing::EveryForm {
 protected:
  static std::unique_ptr<DatagramServer> make(ServeDatagram handler, DatagramServerOptions options = {}) {
    return std::make_unique<DatagramServer>(form(), kAnyPort, std::move(handler), std::move(options));
  }
};

HAWSER_IN_EVERY_FORM(DatagramForms);

void echo(DatagramRequest& request) { request.reply(request.data()); }

Socket client_of(const Address& server) {
  Socket client(server.family(), SOCK_DGRAM);
  client.connect(server);
  client.set_timeout(20s);
  return client;
}

std::string ask(const Address& server, std::string_view question) {
  Socket client = client_of(server);
  client.send(question);
  return client.recv_from().data.str();
}

TEST_P(DatagramForms, answers_each_datagram) {
  in_context([] {
    const auto server = make(echo);
    Serving serving(*server);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(server->address(), std::to_string(i)), std::to_string(i));
    serving.stop();
    EXPECT_EQ(server->connections(), 0U);
  });
}

TEST_P(DatagramForms, an_empty_datagram_is_a_request) {
  in_context([] {
    const auto server =
        make([](DatagramRequest& request) { request.reply(request.data().empty() ? "nothing" : "something"); });
    const Serving serving(*server);
    EXPECT_EQ(ask(server->address(), ""), "nothing");
    EXPECT_EQ(ask(server->address(), "x"), "something");
  });
}

struct Upper : DatagramHandler {
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
  EXPECT_EQ(ask(server.address(), "one\ntwo"), "ONE\nTWO");
}

TEST(datagram_forms, the_same_class_under_each_name) {
  shouts(UdpServer<Upper>(kAnyPort));
  shouts(ThreadingUdpServer<Upper>(kAnyPort));
  shouts(ForkingUdpServer<Upper>(kAnyPort));
  run([] { shouts(FiberUdpServer<Upper>(kAnyPort)); });
}

template <class Server>
void shouts_at_a_path(Server&& server) {
  const Serving serving(server);
  Socket client(AF_UNIX, SOCK_DGRAM);
  client.bind(Address::unix_path("@hawser-dgram-client-" + std::to_string(::getpid())));
  client.set_timeout(20s);
  client.send_to("one\ntwo", server.address());
  EXPECT_EQ(client.recv_from().data, "ONE\nTWO");
}

TEST(datagram_forms, at_unix_paths) {
  const std::string abstract = "@hawser-dgram-" + std::to_string(::getpid());
  const std::string path = ::testing::TempDir() + "hawser-dgram-" + std::to_string(::getpid());
  for (const std::string& where : {abstract, path}) {
    shouts_at_a_path(UnixDatagramServer<Upper>(where));
    shouts_at_a_path(ThreadingUnixDatagramServer<Upper>(where));
    shouts_at_a_path(ForkingUnixDatagramServer<Upper>(where));
    run([&] { shouts_at_a_path(FiberUnixDatagramServer<Upper>(where)); });
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(datagram_forms, a_port_in_use_is_not_taken_over) {
  FiberUdpServer first({"127.0.0.1", 0}, [](DatagramRequest&) {});
  try {
    FiberUdpServer second(first.address(), [](DatagramRequest&) {});
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EADDRINUSE);
  }
}

TEST(datagram_forms, a_live_unix_path_is_not_taken_over) {
  const std::string path = ::testing::TempDir() + "hawser-dgram-live-" + std::to_string(::getpid());
  const UnixDatagramServer first(path, echo);
  EXPECT_THROW(UnixDatagramServer(path, echo), SystemError);
}

TEST(datagram_forms, a_stale_unix_path_is_taken_over) {
  const std::string path = ::testing::TempDir() + "hawser-dgram-stale-" + std::to_string(::getpid());
  {
    Socket gone(AF_UNIX, SOCK_DGRAM);
    gone.bind(Address::unix_path(path));
  }
  shouts_at_a_path(UnixDatagramServer<Upper>(path));
}

TEST_P(DatagramForms, a_handler_that_writes_nothing_sends_nothing) {
  struct Quiet : DatagramHandler {
    void handle() override {
      const auto line = input().read_line();
      if (line != "quiet") output().write(line.value_or("empty"));
    }
  };
  in_context([] {
    const auto server = make(detail::datagram_handler<Quiet>());
    const Serving serving(*server);
    Socket client = client_of(server->address());
    client.send("quiet");
    client.send("loud");
    EXPECT_EQ(client.recv_from().data, "loud");
  });
}

TEST_P(DatagramForms, a_handler_that_throws_ends_its_own_request_only) {
  struct Broken : DatagramHandler {
    void handle() override {
      output().write("half an answer");
      if (input().read_line() == "x") throw std::runtime_error("on demand");
    }
  };
  in_context([] {
    const auto server =
        make(detail::datagram_handler<Broken>(),
             {.handle_error = [](std::exception_ptr, DatagramRequest& request) { request.reply("seen"); }});
    const Serving serving(*server);
    EXPECT_EQ(ask(server->address(), "x"), "seen");
    EXPECT_EQ(ask(server->address(), "y"), "half an answer");
  });
}

TEST_P(DatagramForms, an_answer_that_is_too_long_is_an_error) {
  struct Long : DatagramHandler {
    void handle() override { output().write(std::string(kUdpPayloadLimit + 1, 'x')); }
  };
  in_context([] {
    const auto server =
        make(detail::datagram_handler<Long>(), {.handle_error = [](std::exception_ptr error, DatagramRequest& request) {
               try {
                 std::rethrow_exception(error);
               } catch (const LimitExceeded&) {
                 request.reply("limit");
               }
             }});
    const Serving serving(*server);
    EXPECT_EQ(ask(server->address(), "x"), "limit");
  });
}

TEST_P(DatagramForms, a_datagram_that_is_too_long_says_so) {
  in_context([] {
    const auto server = make(
        [](DatagramRequest& request) {
          request.reply((request.truncated() ? "cut " : "whole ") + request.data().str() + " of " +
                        std::to_string(request.length()));
        },
        {.max_packet_bytes = 4});
    const Serving serving(*server);
    EXPECT_EQ(ask(server->address(), "four"), "whole four of 4");
    EXPECT_EQ(ask(server->address(), "fiver"), "cut five of 5");
  });
}

TEST_P(DatagramForms, verify_may_refuse_or_throw) {
  Log log;
  in_context([] {
    const auto server = make(echo, {.verify_request = [](DatagramRequest& request) {
                               if (request.data() == "throw") throw std::runtime_error("verify broke");
                               return request.data() != "no";
                             }});
    const Serving serving(*server);
    Socket client = client_of(server->address());
    for (const char* word : {"no", "throw", "yes"}) client.send(word);
    EXPECT_EQ(client.recv_from().data, "yes");
  });
  ASSERT_EQ(log.lines().size(), 1U);
  EXPECT_NE(log.lines()[0].find("verify broke"), std::string::npos);
}

TEST_P(DatagramForms, many_clients_at_once) {
  const int clients = 100 / kSlower;
  in_context([clients] {
    const auto server = make(echo, {.max_connections = 10});
    Serving serving(*server);
    std::atomic<int> right = 0;
    std::thread players([&] {
      run([&] {
        TaskGroup group;
        for (int i = 0; i < clients; ++i) {
          group.spawn([&, i] {
            Socket client = client_of(server->address());
            client.set_timeout(200ms);  // the kernel may drop one when they all come at once
            for (;;) {
              try {
                client.send(std::to_string(i));
                if (client.recv_from().data.view() == std::to_string(i)) ++right;
                return;
              } catch (const SocketTimeout&) {
              }
            }
          });
        }
        group.join();
      });
    });
    while (right < clients) sleep(1ms);
    players.join();
    serving.stop();
  });
}

std::string abstract_name(const std::string& role) {
  static std::atomic<int> count = 0;
  return "@hawser-dgram-" + role + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// A client whose queue is full, since it reads nothing.
Socket full_client() {
  Socket client(AF_UNIX, SOCK_DGRAM);
  client.bind(Address::unix_path(abstract_name("full")));
  Socket filler(AF_UNIX, SOCK_DGRAM);
  while (filler.try_send_to("x", client.sock_name())) {
  }
  return client;
}

TEST_P(DatagramForms, who_does_not_read_its_answers_holds_up_nobody_for_long) {
  in_context([] {
    std::atomic<int> timeouts = 0;
    const DatagramServerOptions options{.reply_timeout = 3ms,
                                        .handle_error = [&](const std::exception_ptr& error, DatagramRequest&) {
                                          EXPECT_TRUE(is_everyday_error(error));
                                          ++timeouts;
                                        }};
    DatagramServer server(form(), Endpoint::unix_path(abstract_name("server")), echo, options);
    Serving serving(server);
    Socket lazy = full_client();
    for (int i = 0; i < 5; ++i) static_cast<void>(lazy.try_send_to("x", server.address()));
    Socket client(AF_UNIX, SOCK_DGRAM);
    client.bind(Address::unix_path(abstract_name("client")));
    client.set_timeout(20s);
    for (int i = 0; i < 5; ++i) {
      client.send_to(std::to_string(i), server.address());
      EXPECT_EQ(client.recv_from().data.view(), std::to_string(i));
    }
    serving.stop();
    EXPECT_TRUE(forking() || timeouts > 0);
  });
}

TEST_P(DatagramForms, an_answer_that_finds_no_room_is_cut_by_the_stop) {
  in_context([] {
    DatagramServer server(form(), Endpoint::unix_path(abstract_name("server")), echo,
                          {.drain = 1ms, .reply_timeout = std::nullopt});
    Serving serving(server);
    Socket lazy = full_client();
    lazy.send_to("x", server.address());
    while (server.connections() == 0) sleep(1ms);
    server.request_stop();
    EXPECT_TRUE(server.wait_stopped(20s));
    serving.end();
  });
}

TEST_P(DatagramForms, stops_while_it_waits_and_before) {
  for (int round = 0; round < 20; ++round) {
    in_context([] {
      const auto server = make(echo);
      std::thread stopper([&] {
        server->request_stop();
        EXPECT_TRUE(server->wait_stopped(30s));
      });
      server->serve_forever();
      stopper.join();
    });
  }
}

TEST_P(DatagramForms, handle_request_serves_one_or_gives_up) {
  in_context([] {
    const auto server = make(echo, {.timeout = 5ms});
    EXPECT_FALSE(server->handle_request());
    Socket client = client_of(server->address());
    client.send("one");
    EXPECT_TRUE(server->handle_request());
    EXPECT_EQ(client.recv_from().data, "one");
  });
}

// While the one that may run runs, the others wait in line, in their order.
TEST(datagram_forms, more_than_may_run_wait_in_line) {
  for (const bool fiber : {true, false}) {
    run([fiber] {
      Event go;
      std::atomic<int> begun = 0;
      DatagramServer server(fiber ? Form::fiber : Form::threading, kAnyPort,
                            [&](DatagramRequest& request) {
                              ++begun;
                              go.wait();
                              request.reply(request.data());
                            },
                            {.max_connections = 1, .max_pending = 100});
      Serving serving(server);
      Socket client = client_of(server.address());
      for (int i = 0; i < 50; ++i) client.send(std::to_string(i));
      while (begun == 0) sleep(1ms);
      EXPECT_EQ(server.connections(), 1U);
      go.set();
      for (int i = 0; i < 50; ++i) EXPECT_EQ(client.recv_from().data.view(), std::to_string(i));
      serving.stop();
      EXPECT_EQ(begun, 50);
    });
  }
}

TEST(datagram_forms, answers_go_out_while_it_drains) {
  run([] {
    Event asked, go;
    DatagramServer server(Form::fiber, kAnyPort,
                          [&](DatagramRequest& request) {
                            asked.set();
                            go.wait();
                            request.reply("late");
                          },
                          {.drain = 30s});
    Serving serving(server);
    Socket client = client_of(server.address());
    client.send("x");
    asked.wait();
    server.request_stop();
    EXPECT_FALSE(server.wait_stopped(1ms));
    go.set();
    EXPECT_EQ(client.recv_from().data, "late");
    serving.end();
  });
}

TEST(datagram_forms, serve_a_socket_that_exists) {
  Socket bound(AF_INET, SOCK_DGRAM);
  bound.bind(Address::ip("127.0.0.1", 0));
  UdpServer server(std::move(bound), echo);
  const Serving serving(server);
  EXPECT_EQ(ask(server.address(), "hi"), "hi");
  EXPECT_THROW(UdpServer(Socket(AF_INET, SOCK_STREAM), echo), std::invalid_argument);
}

}  // namespace
}  // namespace hawser
