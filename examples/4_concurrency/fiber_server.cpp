// A server on one thread: each client has a fiber, and each fiber reads as if it were alone.
//
//   fiber_server [PORT]       Ctrl-C stops it, and it tells how many it had
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <set>
#include <thread>

#include <hawser/hawser.h>

using namespace hawser;

namespace {

Server* g_server = nullptr;

// Needs no lock: there is one thread, and a fiber makes room only where it waits.
struct Guests {
  int now = 0, most = 0, all = 0;
  std::set<std::thread::id> threads;
};

struct Visit {
  explicit Visit(Guests& guests) : of(guests), number(++guests.all) {
    of.most = std::max(of.most, ++of.now);
    of.threads.insert(std::this_thread::get_id());
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { --of.now; }
  Guests& of;
  const int number;
};

}  // namespace

int main(int argc, char** argv) try {
  const char* const port = argc > 1 ? argv[1] : "8080";
  return run([port] {
    Guests guests;
    FiberTcpServer server({"127.0.0.1", port}, [&](Socket& peer) {
      const Visit visit(guests);
      peer.send_all(fmt::format("welcome, number {}\n", visit.number));
      while (Bytes data = peer.recv(1024)) peer.send_all(data);
    });
    g_server = &server;
    std::signal(SIGINT, [](int) { g_server->request_stop(); });
    fmt::print("listening on {}\n", server.address().str());
    std::fflush(stdout);
    server.serve_forever();
    fmt::print("{} clients, at most {} at once, on {} thread\n", guests.all, guests.most, guests.threads.size());
  });
} catch (const std::exception& error) {
  fmt::print(stderr, "fiber_server: {}\n", error.what());
  return 1;
}
