// A client: hears a greeting, and sends a receipt for it. Resolving, connecting, hearing and answering all happen
// within five seconds, or the error says what took too long.
//
//   tcp_client [HOST:PORT]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  try {
    // No run() here: on a plain thread the same calls block, with the same timeouts.
    Deadline budget(5s, "five seconds for everything");
    // Of a name with several addresses, the one that answers first.
    Socket sock = connect(Endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:8080"));
    const Bytes greeting = sock.recv(1024);
    if (!greeting) throw std::runtime_error("the server hung up without a word");  // the end of the stream
    fmt::print("{}", greeting.view());
    sock.send_all(fmt::format("received {} bytes\n", greeting.size()));
    sock.shutdown_write();                  // nothing more will come
    while (Bytes last = sock.recv(1024)) {  // until the server has finished too
      fmt::print("{}", last.view());
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tcp_client: {}\n", error.what());
    return 1;
  }
}
