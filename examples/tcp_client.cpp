// A client with a total time budget: resolving, connecting, asking and hearing the answer, all within five seconds.
//
//   tcp_client [HOST:PORT] [TEXT]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  try {
    const Endpoint endpoint = Endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:8080");
    // No run() here: on a plain thread the same calls block, with the same timeouts.
    Deadline budget(5s, "five seconds for everything");
    Socket sock = connect(endpoint, {.timeout = 2s});
    sock.send_all(argc > 2 ? argv[2] : "hello");
    sock.shutdown_write();
    while (Bytes answer = sock.recv(1024)) fmt::print("{}", answer.view());
    fmt::print("\n");
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tcp_client: {}\n", error.what());
    return 1;
  }
}
