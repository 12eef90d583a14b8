// A server for datagrams: many clients on one socket, each answered at the address it wrote from.
//
//   udp_server [PORT]       then, from anywhere: udp_client 127.0.0.1:PORT hello
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  Socket sock(AF_INET, SOCK_DGRAM);
  sock.bind(Address::ip("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 8080));
  fmt::print("listening on {}\n", sock.sock_name().str());
  std::map<std::string, int> clients;
  for (;;) {
    std::fflush(stdout);
    const Datagram message = sock.recv_from(1024);
    const int number = ++clients[message.from.str()];
    // A datagram comes whole or not at all. One larger than our 1024 bytes is cut, and we are told.
    if (message.truncated) {
      sock.send_to(fmt::format("{}: too long, {} of {} bytes", number, message.data.size(), message.length),
                   message.from);
    } else if (message.data.empty()) {  // a message like any other, not an end
      sock.send_to(fmt::format("{}: you said nothing", number), message.from);
    } else {
      sock.send_to(fmt::format("{}: {}", number, message.data.view()), message.from);
    }
    fmt::print("{} bytes, {} clients so far\n", message.length, clients.size());
  }
}
