// The client of command_udp_server: reads commands, one a line, and prints what each printed over there; `q` ends it.
// A datagram may be lost, so it waits five seconds and no longer.
//
//   command_udp_client PORT
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: command_udp_client PORT\n";
    return 2;
  }
  Socket sock(AF_INET, SOCK_DGRAM);
  sock.set_timeout(5s);
  const Address server = Address::ip("127.0.0.1", argv[1]);
  for (std::string line; std::getline(std::cin, line) && line != "q";) {
    sock.send_to(line, server);
    try {
      const Datagram errors = sock.recv_from(65'507);
      const Datagram output = sock.recv_from(65'507);
      std::cout << output.data.view() << std::flush;
      std::cerr << errors.data.view();
    } catch (const SocketTimeout&) {
      std::cerr << "no answer\n";
    }
  }
} catch (const std::exception& error) {
  std::cerr << "command_udp_client: " << error.what() << "\n";
  return 1;
}
