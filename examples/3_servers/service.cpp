// A server to leave running: limits for everything a peer can do, a say in who is served, and a service manager
// (systemd) that may hand it its socket, hears when it is ready, and may stop it: what goes on has half a minute then.
//
//   service          listens at 127.0.0.1:9999, or at the socket it was given; SIGTERM stops it
#include <fmt/format.h>

#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

std::string to_upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

struct Upper : StreamHandler {
  void handle() override {
    while (auto line = input().read_line()) output().write(to_upper(*line));
  }
};

bool blocked(const Address& peer) { return !peer.is_unix() && !peer.is_loopback() && !peer.is_private(); }

struct Guarded : FiberTcpServer<Upper> {
  using FiberTcpServer::FiberTcpServer;
  bool verify_request(Socket& peer) override { return !blocked(peer.peer_name()); }
};

const ServerOptions kLimits{.max_connections = 500,
                            .request_deadline = 10min,
                            .drain = 30s,
                            .idle_timeout = 60s,
                            .least_pace = LeastPace{.bytes_per_second = 100}};

StopSignal* g_told_to_stop = nullptr;
void on_sigterm(int) { g_told_to_stop->request(); }

}  // namespace

int main() try {
  std::vector<InheritedSocket> given = inherited_sockets();
  Listener listener = given.empty() ? Listener({"127.0.0.1", 9999}) : Listener(std::move(given[0].socket));
  StopSignal told_to_stop;
  g_told_to_stop = &told_to_stop;
  std::signal(SIGTERM, on_sigterm);
  return run([&] {
    Guarded server(std::move(listener), kLimits);
    fmt::print("listening on {}\n", server.address().str());
    std::fflush(stdout);
    notify_service_manager("READY=1");
    const ServiceWatchdog alive;
    TaskGroup watch;
    watch.spawn([&] {
      told_to_stop.wait();
      notify_service_manager("STOPPING=1");
      server.request_stop();
    });
    server.serve_forever();  // returns when the last conversation has ended, or has been cut
  });
} catch (const std::exception& error) {
  fmt::print(stderr, "service: {}\n", error.what());
  return 1;
}
