// Signals that come while a thread goes to sleep: the handler runs at once, however the thread sleeps.
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/net/connect.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/sync/event.h>

#include "rounds.h"

namespace hawser {
namespace {

using namespace testing;

std::atomic<Server*> g_server{nullptr};
std::atomic<int> g_heard{0};

// SIGUSR1 stops the server and is counted, as long as one lives.
class Handler {
 public:
  Handler() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      ++g_heard;
      if (Server* server = g_server.load()) server->request_stop();
    };
    ::sigaction(SIGUSR1, &action, &before_);
  }
  ~Handler() {
    ::sigaction(SIGUSR1, &before_, nullptr);
    g_server = nullptr;
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  struct sigaction before_ {};
};

// Several clients at once, so that the server is between an accept and the sleep after it when the signal comes.
void crowd(const Address& address, int clients) {
  std::vector<Socket> all;
  for (int i = 0; i < clients; ++i) all.push_back(connect(address));
  for (Socket& each : all) each.send_all("x");
  for (Socket& each : all) EXPECT_EQ(each.recv(1), "x");
}

void echo(Socket& peer) {
  while (Bytes data = peer.recv(16)) peer.send_all(data);
}

TEST(signals, stop_a_threading_server_as_it_goes_to_sleep) {
  const Handler handler;
  for (int round = 0; round < rounds(1000); ++round) {
    ThreadingTcpServer server({"127.0.0.1", 0}, echo);
    g_server = &server;
    std::thread serving([&] { server.serve_forever(); });
    crowd(server.address(), 1 + round % 8);
    ::pthread_kill(serving.native_handle(), SIGUSR1);
    EXPECT_TRUE(server.wait_stopped(20s));
    if (!server.stopping()) server.request_stop();
    serving.join();
  }
}

TEST(signals, stop_a_fiber_server_as_it_goes_to_sleep) {
  const Handler handler;
  for (int round = 0; round < rounds(1000); ++round) {
    Event listening;
    std::optional<Address> address;
    std::thread serving([&] {
      run([&] {
        FiberTcpServer server({"127.0.0.1", 0}, echo);
        g_server = &server;
        address = server.address();
        listening.set();
        server.serve_forever();
      });
    });
    listening.wait();
    crowd(*address, 1 + round % 8);
    ::pthread_kill(serving.native_handle(), SIGUSR1);
    serving.join();
  }
}

TEST(signals, are_heard_by_a_thread_that_waits_for_an_event) {
  const Handler handler;
  g_heard = 0;
  for (int round = 1; round <= rounds(2000); ++round) {
    Event begun;
    Event end;
    std::thread waiting([&] {
      begun.set();
      end.wait();
    });
    begun.wait();
    for (int i = 0; i < round % 50; ++i) std::this_thread::yield();
    ::pthread_kill(waiting.native_handle(), SIGUSR1);
    while (g_heard < round) std::this_thread::yield();
    end.set();
    waiting.join();
  }
}

}  // namespace
}  // namespace hawser
