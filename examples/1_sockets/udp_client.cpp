// Sends each argument as a datagram and waits a second for the answer. Nobody promises that either arrives: no answer
// is a normal day, and that nobody listens over there can't even be told.
//
//   udp_client HOST:PORT TEXT…
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  try {
    const Address server = resolve(Endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:8080")).front();
    Socket sock(server.family(), SOCK_DGRAM);
    sock.set_timeout(1s);
    for (int i = 2; i < argc; ++i) {
      try {
        sock.send_to(argv[i], server);
        const Datagram answer = sock.recv_from();
        fmt::print("{}\n", answer.data.view());
      } catch (const SocketTimeout&) {
        fmt::print("no answer\n");
      } catch (const SystemError& error) {  // larger than 65,507 bytes, for example
        fmt::print("{}\n", error.what());
      }
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "udp_client: {}\n", error.what());
    return 1;
  }
}
