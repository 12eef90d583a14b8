// An echo server: one fiber a client, and it reads like a blocking program.
//
//   echo_server [PORT]        then, from anywhere: nc 127.0.0.1 8080
//
// Ctrl-C stops it within milliseconds.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;

namespace {

Server* g_server = nullptr;

}  // namespace

int main(int argc, char** argv) try {
  const char* const port = argc > 1 ? argv[1] : "8080";
  return run([port] {
    FiberTcpServer server({"127.0.0.1", port}, [](Socket& peer) {
      while (Bytes data = peer.recv(1024)) peer.send_all(data);
    });
    g_server = &server;
    std::signal(SIGINT, [](int) { g_server->request_stop(); });
    fmt::print("listening on {}\n", server.address().str());
    std::fflush(stdout);
    server.serve_forever();
    fmt::print("stopped\n");
  });
} catch (const std::exception& error) {
  fmt::print(stderr, "echo_server: {}\n", error.what());
  return 1;
}
