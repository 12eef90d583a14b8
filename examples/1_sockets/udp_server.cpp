// A server for datagrams: many clients on one socket, each answered at the address it wrote from.
//
//   udp_server [PORT]       then, from anywhere: udp_client 127.0.0.1:PORT hello
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) try {
  Socket sock(AF_INET, SOCK_DGRAM);
  sock.bind(Address::ip("127.0.0.1", argc > 1 ? argv[1] : "8080"));
  fmt::print("listening on {}\n", sock.sock_name().str());
  std::map<std::string, int> clients;
  for (;;) {
    std::fflush(stdout);
    const Datagram message = sock.recv_from(1024);
    const int number = ++clients[message.from.str()];
    std::string answer = fmt::format("{}: {}", number, message.data.view());
    // A datagram comes whole or not at all. One larger than our 1024 bytes is cut, and we are told.
    if (message.truncated) {
      answer = fmt::format("{}: too long, {} of {} bytes", number, message.data.size(), message.length);
    } else if (message.data.empty()) {  // a message like any other, not an end
      answer = fmt::format("{}: you said nothing", number);
    }
    try {
      sock.send_to(answer, message.from);
    } catch (const SystemError& error) {  // its sender is to be answered nowhere: port 0, say
      fmt::print("{}\n", error.what());
    }
    fmt::print("{} bytes, {} clients so far\n", message.length, clients.size());
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "udp_server: {}\n", error.what());
  return 1;
}
